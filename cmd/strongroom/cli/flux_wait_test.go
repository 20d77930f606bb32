package cli

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
)

// handsOver makes the fixture's tooling stack one that Flux took over.
func (f *fixture) handsOver() {
	f.engine.more = deploy.Outputs{"fluxDeployKey": {Value: "ssh-ed25519 AAAA"}, "clusterName": {Value: "tooling"}}
	since := time.Date(2026, 11, 24, 11, 59, 0, 0, time.UTC)
	kustomization := func(name string, after float64, before ...string) flux.Object {
		return flux.Object{
			Kind: fluxstatus.Kustomization, Namespace: "flux-system", Name: name, Ready: true, Revision: "main@sha1:abc",
			DependsOn: before, Seen: since, ReadyAt: since.Add(time.Duration(after * float64(time.Second))),
		}
	}
	f.box.status.Flux = []flux.Status{{
		Cluster: "tooling", Since: since, Controllers: map[string]int{"source-controller v1.9.4": 7},
		Objects: []flux.Object{
			kustomization("flux-system", 2.5),
			kustomization("access", 3),
			kustomization("vault", 9.5, "flux-system/access"),
			{Kind: fluxstatus.HelmRelease, Namespace: "vault", Name: "vault", Ready: true, Chart: "vault 0.34.1", Stub: true},
			{Kind: fluxstatus.HelmRelease, Namespace: "external-secrets", Name: "external-secrets", Ready: true, Chart: "external-secrets 1.3.2"},
			{Kind: fluxstatus.HelmRelease, Namespace: "kube-system", Name: "lbc", Reason: "Progressing: installing"},
		},
	}}
}

// Proves that up waits for Flux after the stacks, and shows the order.
func TestSandboxUpWaitsForFlux(t *testing.T) {
	f := newFixture(t)
	f.handsOver()
	require.Equal(t, exitOK, f.call("sandbox", "up"), f.err.String())
	done := f.engine.all()
	require.Equal(t, []string{"reconcile", "unlock"}, done[len(done)-2:])
	for _, want := range []string{
		"flux: tooling: vault is ready",
		"Flux in cluster tooling (real: source-controller v1.9.4)\n",
		"9.5 s        access\n",
		"  the order of 1 of 1 dependsOn edges is seen in these times\n",
		"  vault/vault                        vault 0.34.1            STUB: records its values and runs nothing\n",
		"  external-secrets/external-secrets  external-secrets 1.3.2  real chart; no Pod of it runs\n",
		"  kube-system/lbc                                            not installed: Progressing: installing\n",
	} {
		require.Contains(t, f.out.String(), want)
	}

	require.Equal(t, exitOK, f.call("sandbox", "up", "--json"), f.err.String())
	lines := jsonLines(t, f.out.String())
	require.Len(t, lines[len(lines)-1]["flux"], 1)

	require.Equal(t, exitOK, f.call("sandbox", "status"), f.err.String())
	require.Contains(t, f.out.String(), "Flux in cluster tooling")

	f.box.fails["reconcile"] = errors.New("no tree")
	require.Equal(t, exitFailure, f.call("sandbox", "up"))
	require.Contains(t, f.err.String(), "hand the working tree to Flux: no tree")
}

// Proves what is waited for, and what a person is told meanwhile.
func TestFluxIsWaitedFor(t *testing.T) {
	f := newFixture(t)
	f.handsOver()
	now := f.now()
	var said []string
	wait := func(revision string) *fluxWait {
		said = nil
		return &fluxWait{say: func(s string) { said = append(said, s) }, revision: revision, clusters: []string{"tooling"}, told: map[string]bool{}, spoke: now}
	}
	require.True(t, wait("main@sha1:abc").look(f.box.status, now))

	w := wait("main@sha1:def")
	require.False(t, w.look(f.box.status, now), "what is ready is of another working tree")
	require.Len(t, w.left, 3)
	require.Contains(t, w.left[0], "tooling: flux-system: has main@sha1:abc, and the working tree is main@sha1:def")
	require.Len(t, said, 3)
	require.False(t, w.look(f.box.status, now.Add(fluxQuiet)))
	require.Equal(t, "flux: waiting for tooling/flux-system, tooling/access, tooling/vault", said[3])

	objects := f.box.status.Flux[0].Objects
	objects[2].Ready, objects[2].Failed, objects[2].Reason = false, true, "BuildFailed: no such file"
	objects[1].Ready = false
	w = wait("main@sha1:abc")
	require.False(t, w.look(f.box.status, now))
	require.Equal(t, []string{"tooling: vault: BuildFailed: no such file"}, w.left, "what failed, and not what waits for it")
	objects[1].Ready = true
	require.False(t, w.look(f.box.status, now))
	require.Equal(t, "flux: tooling: vault failed and is tried again: BuildFailed: no such file", said[1], "once")
	require.Len(t, said, 3)
	require.Equal(t, []string{"tooling: vault: BuildFailed: no such file"}, w.left)
	objects[2].Suspended = true
	require.True(t, wait("main@sha1:abc").look(f.box.status, now), "what a person suspended is not waited for")

	f.box.status.Flux = nil
	w = wait("main@sha1:abc")
	require.False(t, w.look(f.box.status, now))
	require.Equal(t, []string{"tooling: flux-system: is not there yet"}, w.left)
}
