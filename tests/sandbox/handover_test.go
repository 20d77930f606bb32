package sandbox_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
	"github.com/strongroom-platform/strongroom/sandbox/flux/charts/chartstest"
)

// fluxPatience is for a machine that does other things at the same time.
const fluxPatience = 4 * time.Minute

// mirrored is the release for which there is a chart in the mirror, one that the test has
// made, with all that a stub has not. The others are stubs.
const mirrored = "gitlab-runner/gitlab-runner"

// handOver gives the test's checkout a tree, so that the stacks hand their
// clusters over to Flux, and a mirror with one chart.
func (p *place) handOver() {
	p.Helper()
	_, err := os.Stat(p.CRDDir())
	require.NoError(p, err, "Flux is not built: run `make tools`")
	checkout, err := sandbox.FindRepo(".")
	require.NoError(p, err)
	require.NoError(p, os.CopyFS(filepath.Join(p.repo, "gitops"), os.DirFS(filepath.Join(checkout, "gitops"))))
	require.NoError(p, p.PrepareProject(p.repo))
	pins, err := charts.Pinned(p.repo)
	require.NoError(p, err)
	pins = slices.DeleteFunc(pins, func(pin charts.Pin) bool { return pin.Name != "gitlab-runner" })
	require.Len(p, pins, 1)
	mirror := charts.Mirror{Dir: p.ChartsDir()}
	require.NoError(p, mirror.Fill(p.ctx, charts.Fetch{Pins: pins, Transport: chartstest.Publish(p.T, pins...).Transport()}))
}

// treeInPlace waits until the working tree is in place in both clusters.
func (p *place) treeInPlace() []flux.Status {
	p.Helper()
	revision, err := p.Reconcile(p.ctx)
	require.NoError(p, err)
	deadline := time.Now().Add(fluxPatience)
	for {
		status, err := p.Status(p.ctx)
		require.NoError(p, err)
		var left []string
		for _, f := range status.Flux {
			for _, o := range f.Unready(revision) {
				left = append(left, fmt.Sprintf("%s: %s: %s", f.Cluster, o.Name, o.Reason))
			}
			if f.Failure != "" {
				left = append(left, f.Cluster+": "+f.Failure)
			}
		}
		if len(status.Flux) == 2 && len(left) == 0 {
			return status.Flux
		}
		require.True(p, time.Now().Before(deadline), "not in place after %s: %s", fluxPatience, strings.Join(left, "\n"))
		<-time.After(200 * time.Millisecond)
	}
}

// fluxAtWork proves every edge of dependsOn by the times at which things became
// ready.
func (p *place) fluxAtWork() {
	for _, f := range p.treeInPlace() {
		byID := map[string]flux.Object{}
		var last time.Time
		for _, o := range f.Objects {
			byID[o.Kind+" "+o.ID()] = o
			if o.Kind == fluxstatus.Kustomization && o.ReadyAt.After(last) {
				last = o.ReadyAt
			}
			if o.Kind == fluxstatus.HelmRelease {
				require.Equal(p, o.ID() != mirrored, o.Stub, "%s is of %s", o.ID(), o.Chart)
			}
		}
		edges := 0
		for _, o := range f.Objects {
			for _, before := range o.DependsOn {
				first := byID[o.Kind+" "+before]
				require.False(p, first.ReadyAt.IsZero(), "%s depends on %s, which is not ready", o.ID(), before)
				require.False(p, o.ReadyAt.Before(first.ReadyAt), "%s was ready at %s, before %s at %s", o.ID(), o.ReadyAt, before, first.ReadyAt)
				edges++
			}
		}
		require.Positive(p, edges)
		p.Logf("%s: %d edges; from the start of Flux to all ready, with stub charts but one: %s", f.Cluster, edges, last.Sub(f.Since).Round(100*time.Millisecond))
	}
}

// killFlux kills the daemon, and with it what looks after Flux: the controllers are
// left behind.
func (p *place) killFlux() {
	p.Helper()
	status, err := p.Status(p.ctx)
	require.NoError(p, err)
	require.Len(p, status.Flux, 2)
	for _, f := range status.Flux {
		require.Len(p, f.Controllers, 3, f.Cluster)
	}
	p.killDaemon()
}

// fluxGoesOn commits to the tree after the daemon was killed: what was started
// again finds the same addresses, and knows when things became ready before.
func (p *place) fluxGoesOn() {
	file := filepath.Join(p.repo, "gitops", "infrastructure", "access", "base", "namespaces.yaml")
	text, err := os.ReadFile(file)
	require.NoError(p, err)
	require.NoError(p, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "kind: Namespace\nmetadata:\n", "kind: Namespace\nmetadata:\n  annotations: {changed: \"yes\"}\n")), 0o600))
	for _, f := range p.treeInPlace() {
		for _, o := range f.Objects {
			if o.ID() == "flux-system/flux-system" && o.Kind == fluxstatus.Kustomization {
				require.WithinDuration(p, f.Since, o.ReadyAt, fluxPatience)
				require.Less(p, o.ReadyAt, time.Now().Add(-time.Second), "when it became ready is forgotten")
			}
		}
	}
	for _, stack := range []string{"tooling", "application"} {
		p.ownedOnce(stack)
	}
}

// ownedOnce looks at who manages the fields of every object in a cluster.
func (p *place) ownedOnce(stack string) {
	p.Helper()
	outputs, err := p.target.Outputs(p.ctx, stack)
	require.NoError(p, err)
	file := filepath.Join(p.TempDir(), "config")
	require.NoError(p, os.WriteFile(file, []byte(outputs["kubeconfig"].Value.(string)), 0o600))
	env, err := p.Env()
	require.NoError(p, err)
	kinds, err := p.command(env, "kubectl", "--kubeconfig", file, "api-resources", "--verbs=list", "-o", "name")
	require.NoError(p, err, kinds)
	names := slices.DeleteFunc(strings.Fields(kinds), func(kind string) bool {
		return strings.HasPrefix(kind, "events") || kind == "componentstatuses"
	})
	text, err := p.command(env, "kubectl", "--kubeconfig", file, "get", strings.Join(names, ","), "-A", "-o", "json", "--show-managed-fields")
	require.NoError(p, err)
	list := struct {
		Items []struct {
			Kind     string
			Metadata metav1.ObjectMeta
		}
	}{}
	require.NoError(p, json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &list))
	pulumis, fluxs := 0, 0
	for _, o := range list.Items {
		pulumi, flux := false, false
		for _, fields := range o.Metadata.ManagedFields {
			pulumi = pulumi || strings.HasPrefix(fields.Manager, "pulumi-kubernetes-")
			// Every controller puts its finalizer and its status on what it looks at.
			owns := fields.Subresource == "" && fields.FieldsV1 != nil && !onlyFinalizers(p.T, fields.FieldsV1.GetRawBytes())
			flux = flux || owns && slices.Contains([]string{"kustomize-controller", "helm-controller", "source-controller"}, fields.Manager)
		}
		require.False(p, pulumi && flux, "%s %s/%s is owned by Pulumi and by Flux", o.Kind, o.Metadata.Namespace, o.Metadata.Name)
		if pulumi {
			pulumis++
		}
		if flux {
			fluxs++
		}
	}
	require.Greater(p, pulumis, 5, stack)
	require.Greater(p, fluxs, 20, stack)
	p.Logf("%s: %d objects are Pulumi's, %d Flux's, none both's", stack, pulumis, fluxs)
}

// onlyFinalizers says that somebody owns finalizers of an object and nothing else.
func onlyFinalizers(t *testing.T, raw []byte) bool {
	fields := map[string]map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &fields))
	for name, inside := range fields {
		if name != "f:metadata" {
			return false
		}
		for name := range inside {
			if name != "f:finalizers" && name != "." {
				return false
			}
		}
	}
	return true
}

// fluxGoesInOrder looks at a destroy: the tree, its source, Flux, its namespace,
// the cluster.
func fluxGoesInOrder(t *testing.T, result *deploy.Result) {
	t.Helper()
	at := -1
	for _, typ := range []string{
		"kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization", "kubernetes:source.toolkit.fluxcd.io/v1:GitRepository",
		"kubernetes:fluxcd.controlplane.io/v1:FluxInstance", "kubernetes:core/v1:Namespace", "aws:eks/cluster:Cluster",
	} {
		next := slices.IndexFunc(result.Steps, func(e deploy.Event) bool {
			return e.Type == typ && e.Op == "delete" && (typ != "kubernetes:core/v1:Namespace" || strings.HasSuffix(e.Name, "-flux-namespace"))
		})
		require.Greater(t, next, at, "%s was deleted out of order", typ)
		at = next
	}
}
