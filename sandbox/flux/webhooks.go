package flux

import (
	"context"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
)

// nobodyAnswers is a condition that no request meets. With it the API server does not
// call a webhook, whatever its failure policy.
var nobodyAnswers = admissionv1.MatchCondition{Name: "strongroom.io/simulated-nobody-answers", Expression: "false"}

// disarmWebhooks keeps the API server from calling the webhooks of releases: their Pods
// do not run, and each call would fail after its time.
func (f *Flux) disarmWebhooks(ctx context.Context) error {
	api := f.client.AdmissionregistrationV1()
	only := cached
	only.LabelSelector = madeByRelease
	validating, err := api.ValidatingWebhookConfigurations().List(ctx, only)
	if err != nil {
		return fmt.Errorf("list the ValidatingWebhookConfigurations: %w", err)
	}
	for i := range validating.Items {
		c := &validating.Items[i]
		changed := false
		for j := range c.Webhooks {
			changed = disarm(&c.Webhooks[j].MatchConditions) || changed
		}
		if changed {
			if err := save(ctx, "ValidatingWebhookConfiguration", c, api.ValidatingWebhookConfigurations().Update); err != nil {
				return err
			}
		}
	}
	mutating, err := api.MutatingWebhookConfigurations().List(ctx, only)
	if err != nil {
		return fmt.Errorf("list the MutatingWebhookConfigurations: %w", err)
	}
	for i := range mutating.Items {
		c := &mutating.Items[i]
		changed := false
		for j := range c.Webhooks {
			changed = disarm(&c.Webhooks[j].MatchConditions) || changed
		}
		if changed {
			if err := save(ctx, "MutatingWebhookConfiguration", c, api.MutatingWebhookConfigurations().Update); err != nil {
				return err
			}
		}
	}
	return nil
}

// disarm adds the condition and says whether it was not there.
func disarm(conditions *[]admissionv1.MatchCondition) bool {
	if slices.Contains(*conditions, nobodyAnswers) {
		return false
	}
	*conditions = append(*conditions, nobodyAnswers)
	return true
}
