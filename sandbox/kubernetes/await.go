package kubernetes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/strongroom-platform/strongroom/sandbox/plugin"
)

// defaultTimeout is how long an object may take to be ready or gone, as in the official
// plugin.
const defaultTimeout = 10 * time.Minute

// timeout is how long to wait: the resource option customTimeouts, else the object's
// annotation, else the default.
func timeout(obj *unstructured.Unstructured, seconds float64) time.Duration {
	if seconds > 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if n, err := strconv.Atoi(annotationOf(obj, annotationTimeout)); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return defaultTimeout
}

// condition says whether an object is ready, and if not, what it waits for. An error
// ends the wait.
type condition func(live *unstructured.Unstructured) (ready bool, waitsFor string, err error)

// await waits until an object is ready, and returns it as it was last seen. What needs
// nodes or a load balancer never is in a simulated cluster: a warning says that it is not
// waited for.
func (p *Provider) await(ctx context.Context, c *cluster, urn string, desired, live *unstructured.Unstructured, seconds float64) (*unstructured.Unstructured, error) {
	if annotationOf(desired, annotationSkipAwait) == "true" {
		return live, nil
	}
	ready, err := conditionOf(desired)
	if err != nil {
		return live, err
	}
	if ready == nil {
		if what := needsMachines(live); what != "" {
			p.Log(ctx, plugin.Warning, urn, fmt.Sprintf("simulated cluster has no nodes: not waiting for %s %q%s", live.GetKind(), idOf(live), what))
		}
		return live, nil
	}
	api, err := c.resource(live)
	if err != nil {
		return live, err
	}
	limit := timeout(desired, seconds)
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	shown, waitsFor := "", ""
	err = wait.PollUntilContextCancel(waiting, pollInterval, true, func(context.Context) (bool, error) {
		seen, err := look(ctx, api, live.GetName())
		if err != nil {
			return false, err
		}
		live = seen
		done, what, err := ready(live)
		if waitsFor = what; !done && what != shown {
			shown = what
			p.Status(ctx, urn, "waiting: "+what)
		}
		return done, err
	})
	switch {
	case err == nil:
		p.Status(ctx, urn, "")
		return live, nil
	case ctx.Err() != nil:
		return live, context.Cause(ctx)
	case waiting.Err() != nil:
		return live, fmt.Errorf("%s %q was made but is not ready after %s: %s", live.GetKind(), idOf(live), limit, waitsFor)
	default:
		return live, err
	}
}

// look reads an object once while it is waited for. It has a time limit of its own: the
// client refuses a request that would outlive the wait, with an error about rates.
func look(ctx context.Context, api dynamic.ResourceInterface, name string) (*unstructured.Unstructured, error) {
	ctx, cancel := context.WithTimeout(ctx, contactTimeout)
	defer cancel()
	return api.Get(ctx, name, metav1.GetOptions{})
}

// conditionOf is what the object's annotation asks to wait for, else what its kind does;
// nil when there is nothing to wait for.
func conditionOf(obj *unstructured.Unstructured) (condition, error) {
	asked := annotationOf(obj, annotationWaitFor)
	if asked == "" {
		gvk := obj.GroupVersionKind()
		switch gvk.GroupKind() {
		case schema.GroupKind{Kind: "Namespace"}:
			return phase("Active"), nil
		case schema.GroupKind{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}:
			return hasCondition("Established", "True"), nil
		case schema.GroupKind{Kind: "Secret"}:
			if kind, _, _ := unstructured.NestedString(obj.Object, "type"); kind == "kubernetes.io/service-account-token" {
				return hasToken, nil
			}
		}
		return nil, nil
	}
	var expressions []string
	if err := json.Unmarshal([]byte(asked), &expressions); err != nil {
		expressions = []string{asked}
	}
	if len(expressions) == 0 {
		return nil, fmt.Errorf("annotation %s: expected at least one condition", annotationWaitFor)
	}
	var all []condition
	for _, expression := range expressions {
		one, err := parseCondition(expression)
		if err != nil {
			return nil, fmt.Errorf("annotation %s: %w", annotationWaitFor, err)
		}
		all = append(all, one)
	}
	return func(live *unstructured.Unstructured) (bool, string, error) {
		for _, one := range all {
			if done, what, err := one(live); !done || err != nil {
				return false, what, err
			}
		}
		return true, "", nil
	}, nil
}

// needsMachines says what an object would wait for in a real cluster, "" for nothing.
func needsMachines(obj *unstructured.Unstructured) string {
	gvk := obj.GroupVersionKind()
	switch gvk.Group + "/" + gvk.Kind {
	case "apps/Deployment", "apps/StatefulSet", "apps/DaemonSet", "apps/ReplicaSet", "/ReplicationController", "/Pod":
		return " to run"
	case "batch/Job":
		return " to complete"
	case "/PersistentVolumeClaim":
		return " to be bound"
	case "networking.k8s.io/Ingress":
		return " to get an address"
	case "/Service":
		kind, _, _ := unstructured.NestedString(obj.Object, "spec", "type")
		selector, _, _ := unstructured.NestedMap(obj.Object, "spec", "selector")
		switch {
		case kind == "LoadBalancer":
			return " to get a load balancer"
		case len(selector) > 0 && kind != "ExternalName":
			return " to have endpoints"
		}
	}
	return ""
}

func phase(want string) condition {
	return func(live *unstructured.Unstructured) (bool, string, error) {
		if live.GetDeletionTimestamp() != nil {
			return false, "", errors.New("it is being deleted: wait until it is gone and run again")
		}
		is, _, _ := unstructured.NestedString(live.Object, "status", "phase")
		return is == want, fmt.Sprintf("status.phase is %q, not %q", is, want), nil
	}
}

func hasToken(live *unstructured.Unstructured) (bool, string, error) {
	token, _, _ := unstructured.NestedString(live.Object, "data", "token")
	account := annotationOf(live, "kubernetes.io/service-account.name")
	return token != "", fmt.Sprintf("no token for service account %q yet", account), nil
}

func hasCondition(kind, want string) condition {
	return func(live *unstructured.Unstructured) (bool, string, error) {
		conditions, _, _ := unstructured.NestedSlice(live.Object, "status", "conditions")
		for _, condition := range conditions {
			fields, _ := condition.(map[string]any)
			is, _ := fields["type"].(string)
			status, _ := fields["status"].(string)
			if strings.EqualFold(is, kind) {
				message, _ := fields["message"].(string)
				return strings.EqualFold(status, want), fmt.Sprintf("condition %s is %q, not %q: %s", kind, status, want, message), nil
			}
		}
		return false, fmt.Sprintf("no condition %s yet", kind), nil
	}
}
