package sts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
	authentication "k8s.io/api/authentication/v1"
)

const policies = "arn:aws:eks::aws:cluster-access-policy/"

func access(cluster, principal string) (AccessEntry, error) {
	switch {
	case cluster == "broken":
		return AccessEntry{}, errors.New("disk full")
	case cluster == "tooling" && principal == operator.ARN:
		return AccessEntry{PrincipalARN: principal, Groups: []string{"team"}, Policies: []AccessPolicy{
			{ARN: policies + "AmazonEKSClusterAdminPolicy"},
		}}, nil
	default:
		return AccessEntry{}, ErrNoAccessEntry
	}
}

func review(t *testing.T, apiVersion, cluster, token string) (int, authentication.TokenReview, string) {
	mux := http.NewServeMux()
	mux.Handle("POST /webhook/token/{cluster}", &Webhook{
		Verifier: &TokenVerifier{Credentials: credentials, Endpoint: sandboxEndpoint}, Access: access, Log: discard(),
	})
	request := map[string]any{"kind": "TokenReview", "apiVersion": apiVersion, "spec": map[string]any{"token": token}}
	body, err := json.Marshal(request)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook/token/"+cluster, bytes.NewReader(body)))
	text := w.Body.String()
	var answer authentication.TokenReview
	if w.Code == http.StatusOK {
		require.NoError(t, json.Unmarshal([]byte(text), &answer))
	}
	return w.Code, answer, text
}

func freshToken(t *testing.T, keys aws.Credentials, cluster string) string {
	token, err := NewToken(context.Background(), keys, "eu-central-1", regional, cluster, time.Now())
	require.NoError(t, err)
	return token
}

func TestReviewAuthenticates(t *testing.T) {
	for _, version := range []string{"authentication.k8s.io/v1", "authentication.k8s.io/v1beta1"} {
		t.Run(version, func(t *testing.T) {
			token := freshToken(t, operatorKeys, "tooling")
			status, answer, text := review(t, version, "tooling", token)
			require.Equal(t, http.StatusOK, status, text)
			require.Equal(t, version, answer.APIVersion)
			require.True(t, answer.Status.Authenticated)
			require.Equal(t, operator.ARN, answer.Status.User.Username)
			require.Equal(t, []string{"system:masters", "team"}, answer.Status.User.Groups)
			require.Equal(t, "aws-iam-authenticator:123456789012:AIDAOPERATOR", answer.Status.User.UID)
			require.Equal(t, authentication.ExtraValue{operatorKeys.AccessKeyID}, answer.Status.User.Extra["accessKeyId"])
			require.NotContains(t, text, token)
		})
	}
}

func TestReviewRefuses(t *testing.T) {
	old, err := NewToken(context.Background(), operatorKeys, "eu-central-1", regional, "tooling", time.Now().Add(-16*time.Minute))
	require.NoError(t, err)
	good := freshToken(t, operatorKeys, "tooling")
	for name, test := range map[string]struct{ cluster, token, reason string }{
		"principal without an entry":    {"tooling", freshToken(t, strangerKeys, "tooling"), "no access entry"},
		"cluster that knows no one":     {"application", freshToken(t, operatorKeys, "application"), "no access entry"},
		"expired":                       {"tooling", old, "ExpiredToken"},
		"token for another cluster":     {"tooling", freshToken(t, operatorKeys, "application"), "another cluster"},
		"unknown key":                   {"tooling", freshToken(t, aws.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}, "tooling"), "InvalidClientTokenId"},
		"tampered":                      {"tooling", rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("X-Amz-Expires", "900") }), "altered"},
		"service account or other text": {"tooling", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "does not begin"},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer, text := review(t, "authentication.k8s.io/v1", test.cluster, test.token)
			require.Equal(t, http.StatusOK, status, text)
			require.False(t, answer.Status.Authenticated)
			require.Empty(t, answer.Status.User)
			require.Contains(t, answer.Status.Error, test.reason)
			require.NotContains(t, text, test.token)
		})
	}
}

func TestReviewFailures(t *testing.T) {
	status, _, text := review(t, "authentication.k8s.io/v1", "broken", freshToken(t, operatorKeys, "broken"))
	require.Equal(t, http.StatusInternalServerError, status, "an error of ours is no refusal: %s", text)
	status, _, text = review(t, "authorization.k8s.io/v1", "tooling", "x")
	require.Equal(t, http.StatusBadRequest, status, text)
}

func TestPolicyGroups(t *testing.T) {
	for name, test := range map[string]struct {
		policy AccessPolicy
		want   []string
	}{
		"cluster admin":                {AccessPolicy{ARN: policies + "AmazonEKSClusterAdminPolicy"}, []string{"system:masters"}},
		"view":                         {AccessPolicy{ARN: policies + "AmazonEKSViewPolicy"}, []string{"eks-access-policy:AmazonEKSViewPolicy"}},
		"edit in two namespaces":       {AccessPolicy{ARN: policies + "AmazonEKSEditPolicy", Namespaces: []string{"a", "b"}}, []string{"eks-access-policy:AmazonEKSEditPolicy:a", "eks-access-policy:AmazonEKSEditPolicy:b"}},
		"admin in a namespace is none": {AccessPolicy{ARN: policies + "AmazonEKSClusterAdminPolicy", Namespaces: []string{"a"}}, []string{"eks-access-policy:AmazonEKSClusterAdminPolicy:a"}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, test.want, PolicyGroups(test.policy)) })
	}
	require.Equal(t, "someone", AccessEntry{PrincipalARN: "arn", Username: "someone"}.username())
}
