package vaultprovider

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeVault keeps what is written to a path and gives it back. That a real Vault takes
// what is written is proven in tests/sandbox, against one.
type fakeVault struct {
	mu       sync.Mutex
	data     map[string]map[string]any // by path
	requests []string                  // "<method> <path>"
	bodies   map[string]map[string]any // the last one by path
}

// mountPath is where an engine or a login is mounted.
var mountPath = regexp.MustCompile(`^sys/(mounts|auth)/[^/]+$`)

const rootToken = "fake-token"

func newFake(t *testing.T) (*fakeVault, string) {
	t.Helper()
	f := &fakeVault{data: map[string]map[string]any{}, bodies: map[string]map[string]any{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server.URL
}

func (f *fakeVault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	f.requests = append(f.requests, r.Method+" "+path)
	if r.Header.Get("X-Vault-Token") != rootToken {
		answer(w, http.StatusForbidden, map[string]any{"errors": []string{"permission denied"}})
		return
	}
	body := map[string]any{}
	if content, _ := io.ReadAll(r.Body); len(content) > 0 {
		_ = json.Unmarshal(content, &body)
	}
	switch {
	case path == "auth/token/lookup-self":
		answer(w, http.StatusOK, map[string]any{"data": map[string]any{"id": rootToken}})
	case path == "sys/mounts" || path == "sys/auth":
		answer(w, http.StatusOK, map[string]any{"data": f.mounts(path + "/")})
	case r.Method == http.MethodGet:
		found, ok := f.data[path]
		if !ok {
			answer(w, http.StatusNotFound, map[string]any{"errors": []string{}})
			return
		}
		answer(w, http.StatusOK, map[string]any{"data": found})
	case r.Method == http.MethodDelete:
		delete(f.data, path)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPost && f.data[path] != nil && mountPath.MatchString(path):
		answer(w, http.StatusBadRequest, map[string]any{"errors": []string{"path is already in use at " + path}})
	default:
		// The settings of an auth method are those of a mount.
		path = strings.TrimSuffix(path, "/tune")
		if auth, ok := strings.CutPrefix(path, "sys/mounts/auth/"); ok {
			path = "sys/auth/" + auth
		}
		f.write(path, body)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (f *fakeVault) write(path string, body map[string]any) {
	f.bodies[path] = body
	held := f.data[path]
	if held == nil {
		held = map[string]any{}
	}
	maps.Copy(held, body)
	if strings.Contains(path, "/config/") && held["plugin_name"] != nil {
		held["connection_details"] = maps.Clone(held)
	}
	if strings.HasPrefix(path, "auth/approle/role/") {
		f.data[path+"/role-id"] = map[string]any{"role_id": "fake-role-id"}
	}
	if name, ok := strings.CutPrefix(path, "sys/policies/acl/"); ok {
		held["name"] = name
	}
	f.data[path] = held
}

func (f *fakeVault) mounts(prefix string) map[string]any {
	found := map[string]any{}
	for path, data := range f.data {
		if name, ok := strings.CutPrefix(path, prefix); ok {
			found[name+"/"] = map[string]any{
				"type": data["type"], "description": data["description"], "options": data["options"],
				"accessor": "accessor_" + name, "config": map[string]any{"default_lease_ttl": 0, "max_lease_ttl": 0},
			}
		}
	}
	return found
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (f *fakeVault) has(t *testing.T, path string) map[string]any {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Contains(t, f.data, path)
	return f.data[path]
}
