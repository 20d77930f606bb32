package flux

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

var (
	mutatingPolicies = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicies"}
	mutatingBindings = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingadmissionpolicybindings"}
)

// redirectPolicy is the name of the policy, for a person who wonders.
const redirectPolicy = "strongroom-sandbox-charts"

// redirectCharts turns every HelmRepository and OCIRepository to the registry on
// loopback while it is written, so that the tree says where charts are in
// production and is not changed for the sandbox. The address keeps the original
// one as its path. Repositories over HTTPS become OCI ones, which need no index.
func (f *Flux) redirectCharts(ctx context.Context) error {
	local := "oci://" + f.options.Charts + "/"
	address := fmt.Sprintf(`%q + object.spec.url.replace("oci://", "").replace("https://", "").replace("http://", "")`, local)
	policy := object("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy", redirectPolicy)
	policy.Object["spec"] = map[string]any{
		"failurePolicy":      "Fail",
		"reinvocationPolicy": "Never",
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{
			"apiGroups": []any{"source.toolkit.fluxcd.io"}, "apiVersions": []any{"v1"},
			"operations": []any{"CREATE", "UPDATE"}, "resources": []any{"helmrepositories", "ocirepositories"},
		}}},
		"matchConditions": []any{map[string]any{"name": "elsewhere", "expression": fmt.Sprintf("!object.spec.url.startsWith(%q)", local)}},
		"mutations": []any{
			patch(fmt.Sprintf(`[
				JSONPatch{op: "replace", path: "/spec/url", value: %s},
				JSONPatch{op: "add", path: "/spec/insecure", value: true}
			]`, address)),
			patch(`object.kind == "HelmRepository" ? [JSONPatch{op: "add", path: "/spec/type", value: "oci"}] : []`),
			// A stub is signed by nobody, and the mirror has no signatures.
			patch(`has(object.spec.verify) ? [JSONPatch{op: "remove", path: "/spec/verify"}] : []`),
		},
	}
	binding := object("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicyBinding", redirectPolicy)
	binding.Object["spec"] = map[string]any{"policyName": redirectPolicy}
	if err := f.apply(ctx, mutatingPolicies, policy); err != nil {
		return err
	}
	return f.apply(ctx, mutatingBindings, binding)
}

func patch(expression string) any {
	return map[string]any{"patchType": "JSONPatch", "jsonPatch": map[string]any{"expression": expression}}
}
