package podidentity_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	authv1 "k8s.io/api/authentication/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
)

func token(issuer string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{}`)) + "." + encode([]byte(`{"iss":"`+issuer+`"}`)) + "." + encode([]byte("signature"))
}

func TestAgent(t *testing.T) {
	client := fake.NewClientset()
	good := token("https://tooling")
	client.PrependReactor("create", "tokenreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authv1.TokenReview)
		require.Equal(t, []string{podidentity.Audience}, review.Spec.Audiences)
		review.Status.Authenticated = review.Spec.Token == good
		review.Status.User.Username = "system:serviceaccount:vault:vault"
		return true, review, nil
	})
	now := time.Now()
	sessions := &podidentity.Sessions{Now: func() time.Time { return now }}
	agent := &podidentity.Agent{
		Cluster: func(issuer string) (string, kubernetes.Interface, error) {
			if issuer != "https://tooling" {
				return "", nil, errors.New("no such cluster")
			}
			return "tooling", client, nil
		},
		Role: func(cluster, namespace, serviceAccount string) (string, string, error) {
			require.Equal(t, []string{"tooling", "vault", "vault"}, []string{cluster, namespace, serviceAccount})
			return "vault-server", "arn:aws:iam::123456789012:role/vault-server", nil
		},
		Sessions: sessions, Log: slog.New(slog.DiscardHandler),
	}
	ask := func(token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, podidentity.Path, nil)
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		agent.ServeHTTP(w, r)
		return w
	}
	w := ask(good)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var got podidentity.Credentials
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got))
	credential, found := sessions.Credential(got.AccessKeyID)
	require.True(t, found)
	require.Equal(t, "arn:aws:sts::123456789012:assumed-role/vault-server/eks-tooling-vault", credential.Caller.ARN)
	require.Equal(t, "vault-server", credential.Caller.Role)
	require.Equal(t, got.SecretAccessKey, credential.Key.Secret)
	require.NotContains(t, got.String(), got.SecretAccessKey)

	for name, bad := range map[string]string{"none": "", "no token": "a.b.c", "another cluster's": token("https://other"), "forged": token("https://tooling") + "x"} {
		require.Equal(t, http.StatusForbidden, ask(bad).Code, name)
	}
	now = now.Add(7 * time.Hour)
	_, err := sessions.Issue("other", "s")
	require.NoError(t, err)
	_, found = sessions.Credential(got.AccessKeyID)
	require.False(t, found, "sessions end")
}
