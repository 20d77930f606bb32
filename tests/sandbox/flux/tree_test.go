package flux_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
)

// TestTree shows the trees of this repository to the real controllers: everything in
// them is taken by a real API server, becomes ready, and does so in the declared order.
// The charts are stubs, and the Job that initialises Vault is marked complete.
func TestTree(t *testing.T) {
	requireGit(t)
	for _, cluster := range runtimeinfo.Clusters() {
		t.Run(cluster, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, filepath.Join("..", "..", "..", "gitops"))
			values := runtimeinfo.Examples(cluster)
			values[runtimeinfo.GitURL] = w.git.URL()
			w.bootstrap(values)
			w.vault()
			w.secret("flux-system", w.key, w.git.KnownHosts())
			w.secret("flux-image-automation", w.key, w.git.KnownHosts())
			begun := time.Now()
			w.source("flux-system", "flux-system", "main")
			w.kustomization("flux-system", "./gitops/clusters/"+cluster)
			w.eventually("every Kustomization ready", func() error {
				var problems []error
				found := 0
				for _, o := range w.flux.Status().Objects {
					if o.Kind != "Kustomization" {
						continue
					}
					if found++; !o.Ready {
						problems = append(problems, fmt.Errorf("%s: %s", o.ID(), o.Reason))
					}
				}
				if found < 2 {
					problems = append(problems, errors.New("there are none yet"))
				}
				return errors.Join(problems...)
			})
			t.Logf("from the source to all ready, with stub charts: %s", time.Since(begun).Round(100*time.Millisecond))
			byID := map[string]flux.Object{}
			for _, o := range w.flux.Status().Objects {
				byID[o.Kind+" "+o.ID()] = o
			}
			edges := 0
			for _, o := range byID {
				for _, before := range o.DependsOn {
					first, found := byID[o.Kind+" "+before]
					require.True(t, found, "%s depends on %s, which is not there", o.ID(), before)
					require.False(t, o.ReadyAt.Before(first.ReadyAt), "%s was ready at %s, before %s at %s", o.ID(), o.ReadyAt, before, first.ReadyAt)
					edges++
				}
			}
			require.Positive(t, edges)
			t.Logf("%d edges of dependsOn hold", edges)
		})
	}
}

// vault makes what Pulumi makes for Vault, with values that no chart reads here.
func (w *world) vault() {
	w.t.Helper()
	_, err := w.client.CoreV1().Namespaces().Create(w.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "vault"}}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	for name, data := range map[string]map[string]string{
		"vault-helm-values": {"values.yaml": "server: {}\n"},
		"vault-tls":         {"ca.crt": "simulated", "tls.crt": "simulated", "tls.key": "simulated"},
	} {
		_, err := w.client.CoreV1().Secrets("vault").Create(w.ctx, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: data}, metav1.CreateOptions{})
		require.NoError(w.t, err)
	}
}
