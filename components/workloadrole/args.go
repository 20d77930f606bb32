package workloadrole

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// maxName leaves room in the 64 characters of an IAM role's name for "-role"
// and the 8 that Pulumi appends.
const maxName = 51

var (
	// A namespace is a DNS label, a service account a DNS subdomain:
	// https://kubernetes.io/docs/concepts/overview/working-with-objects/names/.
	label     = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`)
	subdomain = regexp.MustCompile(`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`)
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]+$`)
	policyARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::(aws|\d{12}):policy/\S+$`)
)

// Validate reports the first argument that AWS or Kubernetes would refuse.
func (a *Args) Validate(name string) error {
	if a == nil {
		return fmt.Errorf("workload role %q: the arguments are nil", name)
	}
	if err := a.validate(name); err != nil {
		return fmt.Errorf("workload role %q: %w", name, err)
	}
	return nil
}

func (a *Args) validate(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("the name has %d characters, but IAM role names end at 64: use at most %d", len(name), maxName)
	}
	if !nameForm.MatchString(name) {
		return errors.New("the name becomes part of an IAM role's: use letters, digits and any of + = , . @ _ -")
	}
	if a.ClusterName == nil {
		return errors.New("clusterName is missing: give the cluster whose pods get the role")
	}
	if !label.MatchString(a.Namespace) {
		return fmt.Errorf("namespace %q is not a Kubernetes name: use at most 63 of a-z, 0-9 and -", a.Namespace)
	}
	if len(a.ServiceAccount) > 253 || !subdomain.MatchString(a.ServiceAccount) {
		return fmt.Errorf("serviceAccount %q is not a Kubernetes name: use at most 253 of a-z, 0-9, . and -", a.ServiceAccount)
	}
	if a.Policy != nil {
		if err := a.Policy.Validate(iampolicy.Identity); err != nil {
			return fmt.Errorf("policy: %w", err)
		}
	}
	names := map[string]string{}
	for _, arn := range a.ManagedPolicyARNs {
		if !policyARN.MatchString(arn) {
			return fmt.Errorf("managedPolicyArns: %q is not the ARN of an IAM policy: use one such as %q", arn, "arn:aws:iam::aws:policy/ReadOnlyAccess")
		}
		if other, taken := names[policyName(arn)]; taken {
			return fmt.Errorf("managedPolicyArns: %q and %q have the same name: leave one out", other, arn)
		}
		names[policyName(arn)] = arn
	}
	return a.Tags.Validate()
}

// policyName is the last part of a policy's ARN.
func policyName(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }
