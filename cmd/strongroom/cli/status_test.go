package cli

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// Proves what status tells of each object, and that it fails where one has.
func TestStatus(t *testing.T) {
	f := newFixture(t)
	f.engine.more = deploy.Outputs{"fluxDeployKey": {Value: "ssh-ed25519 AAAA"}, "clusterName": {Value: "tooling"}}
	objects := []fluxstatus.Object{
		{Kind: fluxstatus.HelmRelease, Namespace: "vault", Name: "vault", Ready: true, Reason: "InstallSucceeded"},
		{Kind: fluxstatus.Kustomization, Namespace: "flux-system", Name: "apps", Reason: "DependencyNotReady"},
		{Kind: fluxstatus.Kustomization, Namespace: "flux-system", Name: "vault", Ready: true, Suspended: true},
		{Kind: fluxstatus.GitRepository, Namespace: "flux-system", Name: "flux-system", Failed: true, Reason: "wrong host key: ..."},
		{Kind: "HelmChart", Namespace: "vault", Name: "vault-vault", Ready: true},
		{Kind: "OCIRepository", Namespace: "vault", Name: "other", Failed: true, Reason: "gone"},
	}
	f.readFlux = func(_ context.Context, config *rest.Config) ([]fluxstatus.Object, error) {
		require.Equal(t, "https://127.0.0.1:20001", config.Host)
		for _, v := range config.ExecProvider.Env {
			if v.Name == "AWS_REGION" {
				require.Equal(t, "eu-west-1", v.Value)
				return objects, nil
			}
		}
		return nil, errors.New("the plugin is not told the region")
	}
	for _, args := range [][]string{{"status"}, {"status", "--sandbox"}} {
		f.box.addProgram(t, "aws")
		require.Equal(t, exitFailure, f.call(args...), f.err.String())
		require.Equal(t, strings.Join([]string{
			"tooling: cluster tooling, 3 of 6 objects of Flux ready",
			"  kind           name                     state      why",
			"  GitRepository  flux-system/flux-system  FAILED     wrong host key: ...",
			"  Kustomization  flux-system/apps         waiting    DependencyNotReady",
			"  Kustomization  flux-system/vault        suspended",
			"  HelmRelease    vault/vault              ready      InstallSucceeded",
			"  OCIRepository  vault/other              FAILED     gone",
			"",
			"application: cluster  is not handed over to Flux: see strongroom:flux in docs/gitops.md",
			"",
		}, "\n"), f.out.String())
		require.Contains(t, f.err.String(), "failed are GitRepository flux-system/flux-system of tooling, OCIRepository vault/other of tooling")
	}

	objects = objects[:3]
	require.Equal(t, exitOK, f.call("status", "tooling", "--json"), f.err.String())
	var all []stackStatus
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &all))
	require.Equal(t, []stackStatus{{Stack: "tooling", Cluster: "tooling", Flux: true, Objects: objects}}, all)

	objects = nil
	require.Equal(t, exitOK, f.call("status", "tooling"))
	require.Contains(t, f.out.String(), "its controllers have not begun, or are gone")

	f.engine.more["kubeconfig"] = deploy.Output{}
	require.Equal(t, exitFailure, f.call("status", "tooling"))
	require.Contains(t, f.err.String(), "bring it up first")
}

// Proves how the objects of a cluster are read, where it does not serve every kind.
func TestReadFlux(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"KustomizationList","metadata":{},"items":[
			{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","metadata":{"name":"apps","namespace":"flux-system","generation":1},
			 "status":{"conditions":[{"type":"Ready","status":"False","reason":"BuildFailed","message":"no such file","observedGeneration":1}]}}]}`))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	objects, err := readFlux(t.Context(), &rest.Config{Host: server.URL})
	require.NoError(t, err)
	require.Equal(t, []fluxstatus.Object{{Kind: "Kustomization", Namespace: "flux-system", Name: "apps", Failed: true, Reason: "BuildFailed: no such file"}}, objects)

	server.Close()
	_, err = readFlux(t.Context(), &rest.Config{Host: server.URL})
	require.ErrorContains(t, err, "list ")
}
