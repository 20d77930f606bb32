package fluxstatus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// object has a Ready condition of its newest generation.
func object(status, reason, message string) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"namespace": "flux-system", "name": "apps", "generation": int64(2)},
		"spec":     map[string]any{"dependsOn": []any{map[string]any{"name": "access"}, map[string]any{"namespace": "other", "name": "vault"}}},
		"status":   map[string]any{"lastAppliedRevision": "main@sha1:abc"},
	}}
	if status != "" {
		_ = unstructured.SetNestedSlice(o.Object, []any{map[string]any{
			"type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": int64(2),
		}}, "status", "conditions")
	}
	return o
}

func TestDescribe(t *testing.T) {
	for name, tt := range map[string]struct {
		kind                     string
		object                   *unstructured.Unstructured
		ready, failed, suspended bool
		reason                   string
	}{
		"ready":        {"Kustomization", object("True", "ReconciliationSucceeded", "Applied\n revision"), true, false, false, "ReconciliationSucceeded: Applied revision"},
		"failed":       {"Kustomization", object("False", "BuildFailed", "no such file"), false, true, false, "BuildFailed: no such file"},
		"waits":        {"Kustomization", object("False", "DependencyNotReady", "access is not ready"), false, false, false, "DependencyNotReady: access is not ready"},
		"under way":    {"HelmRelease", object("Unknown", "Progressing", "installing"), false, false, false, "Progressing: installing"},
		"new":          {"Kustomization", object("", "", ""), false, false, false, "was not looked at yet"},
		"oci registry": {"HelmRepository", object("", "", ""), true, false, false, "of type oci"},
		"changed since": {"Kustomization", func() *unstructured.Unstructured {
			o := object("True", "ReconciliationSucceeded", "Applied")
			o.SetGeneration(3)
			return o
		}(), false, false, false, "its change was not looked at yet"},
		"suspended": {"Kustomization", func() *unstructured.Unstructured {
			o := object("True", "ReconciliationSucceeded", "Applied")
			_ = unstructured.SetNestedField(o.Object, true, "spec", "suspend")
			return o
		}(), true, false, true, "ReconciliationSucceeded: Applied"},
	} {
		t.Run(name, func(t *testing.T) {
			got := fluxstatus.Describe(tt.kind, tt.object)
			require.Equal(t, fluxstatus.Object{
				Kind: tt.kind, Namespace: "flux-system", Name: "apps", Ready: tt.ready, Failed: tt.failed, Suspended: tt.suspended,
				Reason: tt.reason, Revision: "main@sha1:abc", DependsOn: []string{"flux-system/access", "other/vault"},
			}, got)
		})
	}
}

// The messages are those of source-controller 1.9 and kustomize-controller 1.9, as
// tests/sandbox/flux sees them.
func TestReasonsSayWhatToDo(t *testing.T) {
	for message, want := range map[string]string{
		"unable to clone: ssh: handshake failed: knownhosts: key mismatch":                                               "wrong host key: ",
		"unable to clone: ssh: handshake failed: knownhosts: key is unknown":                                             "unknown host key: ",
		"unable to clone: ssh: handshake failed: ssh: unable to authenticate":                                            "wrong deploy key: ",
		"failed to configure authentication: missing 'known_hosts'":                                                      "missing known_hosts: ",
		"unable to clone: couldn't find remote ref \"refs/heads/nowhere\"":                                               "missing branch: ",
		"kustomization path not found: stat /tmp/nowhere: no such file":                                                  "missing path: ",
		"response status code 403: denied: chart web 1.2.3: /m/web.tgz is not what was fetched from https://example.com": "damaged chart: ",
		"post build failed for 'x': variable not set (strict mode): \"nowhere\"":                                         "missing value: ",
	} {
		got := fluxstatus.Describe("GitRepository", object("False", "GitOperationFailed", message))
		require.True(t, strings.HasPrefix(got.Reason, want), got.Reason)
		require.Contains(t, got.Reason, "GitOperationFailed: ")
		require.NotContains(t, got.Reason, "\n")
	}
	require.NotContains(t, fluxstatus.Describe("GitRepository", object("True", "Succeeded", "stored known_hosts")).Reason, "missing")
}

func TestSortIsByTheTimeOfBeingReady(t *testing.T) {
	at := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	all := []fluxstatus.Object{
		{Kind: "Kustomization", Name: "never"}, {Kind: "Kustomization", Name: "late", ReadyAt: at.Add(time.Second)},
		{Kind: "HelmRelease", Name: "never"}, {Kind: "Kustomization", Name: "early", ReadyAt: at},
	}
	fluxstatus.Sort(all)
	var order []string
	for _, o := range all {
		order = append(order, o.Kind+" "+o.Name)
	}
	require.Equal(t, []string{"Kustomization early", "Kustomization late", "HelmRelease never", "Kustomization never"}, order)
}
