package vaultops

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// The order of the calls, and what each refusal means for the person.
func TestHandOver(t *testing.T) {
	for name, test := range map[string]struct {
		refuse string
		status int
		want   string
		calls  []string
	}{
		"done":         {"", 0, "", []string{"GET config", "POST config", "POST rotate-root", "POST config"}},
		"not declared": {"GET config", 404, `database "orders" is not declared: add it to strongroom:vault.databases`, []string{"GET config"}},
		"not allowed":  {"GET config", 403, `database "orders": database/config/orders at`, []string{"GET config"}},
		"wrong":        {"POST config", 400, `database "orders" does not take the password, nothing was changed`, []string{"GET config", "POST config"}},
		"not rotated":  {"POST rotate-root", 500, "Vault has the password and did not change it: run this again", []string{"GET config", "POST config", "POST rotate-root"}},
	} {
		t.Run(name, func(t *testing.T) {
			var calls []string
			mux := http.NewServeMux()
			mux.HandleFunc("/v1/sys/health", func(w http.ResponseWriter, _ *http.Request) {
				_ = json.NewEncoder(w).Encode(map[string]any{"initialized": true})
			})
			mux.HandleFunc("/v1/database/{what}/orders", func(w http.ResponseWriter, r *http.Request) {
				call := r.Method + " " + r.PathValue("what")
				calls = append(calls, call)
				if r.Header.Get("X-Vault-Token") != "token" {
					t.Error("without the token")
				}
				if call == "POST config" {
					var body map[string]any
					_ = json.NewDecoder(r.Body).Decode(&body)
					want := map[string]any{"password": "initial-one", "verify_connection": true}
					if len(calls) > 2 {
						want = map[string]any{"verify_connection": false} // as it was declared
					}
					require.Equal(t, want, body)
				}
				if call == test.refuse {
					w.WriteHeader(test.status)
				}
				_, _ = w.Write([]byte(`{"data": {"verify_connection": false}}`))
			})
			server := httptest.NewServer(mux)
			t.Cleanup(server.Close)
			v := &Vault{Client: server.Client(), Servers: []string{server.URL}}
			err := v.HandOver(t.Context(), "token", "database", "orders", "initial-one")
			if test.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.want)
				require.NotContains(t, err.Error(), "initial-one")
			}
			require.Equal(t, test.calls, calls)
		})
	}
}
