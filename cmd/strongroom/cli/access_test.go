package cli

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// cluster is an API server that knows namespaces and two tokens. What it does
// not prove: that a real one behaves so; tests/sandbox and `make up` do.
type cluster struct {
	mu         sync.Mutex
	namespaces map[string]bool
	reads      map[string]int // until a deleted namespace is gone
	open       bool           // let everybody in
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer operator" && !c.open {
		c.answer(w, http.StatusUnauthorized, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Unauthorized","code":401}`)
		return
	}
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces"), "/")
	switch {
	case r.Method == http.MethodGet && name == "":
		items := []string{}
		for known := range c.namespaces {
			items = append(items, fmt.Sprintf(`{"metadata":{"name":%q}}`, known))
		}
		c.answer(w, http.StatusOK, `{"kind":"NamespaceList","apiVersion":"v1","items":[`+strings.Join(items, ",")+`]}`)
	case r.Method == http.MethodPost:
		c.namespaces["strongroom-check-1"] = true
		c.answer(w, http.StatusCreated, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"strongroom-check-1"}}`)
	case r.Method == http.MethodDelete && c.namespaces[name]:
		c.reads[name] = 2
		c.answer(w, http.StatusOK, `{"kind":"Status","apiVersion":"v1","status":"Success"}`)
	case r.Method == http.MethodGet && c.namespaces[name]:
		if c.reads[name]--; c.reads[name] <= 0 {
			delete(c.namespaces, name)
		}
		c.answer(w, http.StatusOK, `{"kind":"Namespace","apiVersion":"v1","metadata":{"name":"`+name+`"}}`)
	default:
		c.answer(w, http.StatusNotFound, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}`)
	}
}

func (c *cluster) answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(body))
}

// newCluster serves c and returns how it is checked, through an aws that prints
// the token that its environment names.
func newCluster(t *testing.T, c *cluster) clusterCheck {
	t.Helper()
	c.namespaces, c.reads = map[string]bool{"strongroom-check-0": true}, map[string]int{}
	server := httptest.NewTLSServer(c)
	t.Cleanup(server.Close)
	bin := t.TempDir()
	script := `#!/bin/sh
[ "$1 $2" = "eks get-token" ] || exit 2
echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"'"$WHO"'"}}'
`
	require.NoError(t, os.WriteFile(filepath.Join(bin, "aws"), []byte(script), 0o700))
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Config", "current-context": "aws",
		"clusters": []any{map[string]any{"name": "k", "cluster": map[string]any{"server": server.URL, "certificate-authority-data": base64.StdEncoding.EncodeToString(authority)}}},
		"contexts": []any{map[string]any{"name": "aws", "context": map[string]any{"cluster": "k", "user": "aws"}}},
		"users": []any{map[string]any{"name": "aws", "user": map[string]any{"exec": map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": []string{"eks", "get-token", "--cluster-name", "tooling"},
		}}}},
	})
	require.NoError(t, err)
	path := bin + ":" + os.Getenv("PATH")
	return clusterCheck{
		Stack: "tooling", Kubeconfig: string(config),
		Env:         map[string]string{"PATH": path, "WHO": "operator"},
		StrangerEnv: map[string]string{"PATH": path, "WHO": "stranger"},
	}
}

// Proves that the check uses the kubeconfig with the environment it is given,
// waits until the namespace is gone, and removes what a killed check left.
func TestCheckCluster(t *testing.T) {
	c := &cluster{}
	report, err := checkCluster(t.Context(), newCluster(t, c))
	require.NoError(t, err)
	require.Equal(t, "strongroom-check-1", report.Namespace)
	require.Equal(t, "Unauthorized", report.Stranger)
	require.NotContains(t, c.namespaces, "strongroom-check-1")
	require.Equal(t, 2, c.reads["strongroom-check-0"], "what a killed check left was not deleted")
}

func TestCheckClusterFails(t *testing.T) {
	for name, tt := range map[string]struct {
		cluster *cluster
		breaks  func(*clusterCheck)
		want    string
	}{
		"a stranger is let in":  {&cluster{open: true}, func(*clusterCheck) {}, "without an access entry could list namespaces"},
		"the operator is not":   {&cluster{}, func(c *clusterCheck) { c.Env["WHO"] = "nobody" }, "list namespaces"},
		"no aws on the PATH":    {&cluster{}, func(c *clusterCheck) { c.Env["PATH"] = "/nowhere" }, `runs "aws", which is not on the sandbox's PATH`},
		"aws fails":             {&cluster{}, func(c *clusterCheck) { c.Kubeconfig = strings.Replace(c.Kubeconfig, "get-token", "get-lost", 1) }, "list namespaces"},
		"aws fails for another": {&cluster{}, func(c *clusterCheck) { c.StrangerEnv["PATH"] = "/nowhere" }, "not on the sandbox's PATH"},
		"not on this machine": {&cluster{}, func(c *clusterCheck) {
			c.Kubeconfig = strings.Replace(c.Kubeconfig, "127.0.0.1", "192.0.2.1", 1)
		}, "which is not on this machine"},
		"no kubeconfig": {&cluster{}, func(c *clusterCheck) { c.Kubeconfig = "{" }, `stack "tooling"`},
		"no exec plugin": {&cluster{}, func(c *clusterCheck) {
			c.Kubeconfig = strings.Replace(c.Kubeconfig, `"exec"`, `"nothing"`, 1)
		}, "has no exec plugin"},
	} {
		t.Run(name, func(t *testing.T) {
			check := newCluster(t, tt.cluster)
			tt.breaks(&check)
			_, err := checkCluster(t.Context(), check)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, `check the control plane of stack "tooling"`)
		})
	}
}
