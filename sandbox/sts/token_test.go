package sts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

const (
	sandboxEndpoint = "127.0.0.1:4566"
	regional        = "https://sts.eu-central-1.amazonaws.com"
)

var signedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func tokenVerifier(now time.Time) *TokenVerifier {
	return &TokenVerifier{Credentials: credentials, Endpoint: sandboxEndpoint, Now: func() time.Time { return now }}
}

func newToken(t *testing.T, keys aws.Credentials, endpoint, cluster string) string {
	token, err := NewToken(context.Background(), keys, "eu-central-1", endpoint, cluster, signedAt)
	require.NoError(t, err)
	return token
}

// rewrite changes the URL inside a token.
func rewrite(t *testing.T, token string, change func(u *url.URL, q url.Values)) string {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, tokenPrefix))
	require.NoError(t, err)
	u, err := url.Parse(string(text))
	require.NoError(t, err)
	q := u.Query()
	change(u, q)
	u.RawQuery = q.Encode()
	return tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(u.String()))
}

func TestTokenAccepted(t *testing.T) {
	for name, endpoint := range map[string]string{
		"regional endpoint": regional, "global endpoint": "https://sts.amazonaws.com", "the sandbox's own": "http://" + sandboxEndpoint,
	} {
		t.Run(name, func(t *testing.T) {
			token := newToken(t, operatorKeys, endpoint, "tooling")
			// client-go keeps the token for 14 minutes although it is signed for 60 seconds.
			identity, key, err := tokenVerifier(signedAt.Add(TokenLife)).Verify(token, "tooling")
			require.NoError(t, err)
			require.Equal(t, operator, identity)
			require.Equal(t, operatorKeys.AccessKeyID, key)
		})
	}
}

func TestTokenRefused(t *testing.T) {
	good := newToken(t, operatorKeys, regional, "tooling")
	for name, test := range map[string]struct {
		token  string
		after  time.Duration
		reason string
	}{
		"expired":         {good, 15*time.Minute + time.Second, "ExpiredToken"},
		"from the future": {good, -6 * time.Minute, "not yet current"},
		"another cluster": {newToken(t, operatorKeys, regional, "application"), 0, `another cluster than "tooling"`},
		"no cluster":      {newToken(t, operatorKeys, regional, ""), 0, `another cluster than "tooling"`},
		"unknown key":     {newToken(t, aws.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}, regional, "tooling"), 0, "InvalidClientTokenId"},
		"wrong secret":    {newToken(t, aws.Credentials{AccessKeyID: operatorKeys.AccessKeyID, SecretAccessKey: "x"}, regional, "tooling"), 0, "SignatureDoesNotMatch"},
		"another's key id": {rewrite(t, good, func(_ *url.URL, q url.Values) {
			q.Set("X-Amz-Credential", strings.Replace(q.Get("X-Amz-Credential"), "AKIAOPERATOR", "AKIASTRANGER", 1))
		}), 0, "SignatureDoesNotMatch"},
		"new date":              {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("X-Amz-Date", "20260301T121000Z") }), 0, "SignatureDoesNotMatch"},
		"cut signature":         {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("X-Amz-Signature", q.Get("X-Amz-Signature")[:60]) }), 0, "SignatureDoesNotMatch"},
		"cluster not signed":    {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("X-Amz-SignedHeaders", "host") }), 0, "SignatureDoesNotMatch"},
		"unsigned":              {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Del("X-Amz-Algorithm") }), 0, "is not signed"},
		"another action":        {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("Action", "AssumeRole") }), 0, "AssumeRole"},
		"another parameter":     {rewrite(t, good, func(_ *url.URL, q url.Values) { q.Set("RoleArn", "x") }), 0, "RoleArn"},
		"another host":          {newToken(t, operatorKeys, "https://example.com", "tooling"), 0, "example.com"},
		"host that looks right": {newToken(t, operatorKeys, "https://sts.x.example.amazonaws.com", "tooling"), 0, "amazonaws.com"},
		"plain http":            {newToken(t, operatorKeys, "http://sts.amazonaws.com", "tooling"), 0, "http://sts"},
		"another path":          {rewrite(t, good, func(u *url.URL, _ url.Values) { u.Path = "/x" }), 0, "path"},
		"user in the url":       {rewrite(t, good, func(u *url.URL, _ url.Values) { u.User = url.User("x") }), 0, "more than scheme"},
		"no prefix":             {strings.TrimPrefix(good, tokenPrefix), 0, "does not begin"},
		"not base64":            {tokenPrefix + "%%%", 0, "base64url"},
		"empty":                 {"", 0, "does not begin"},
		"too long":              {tokenPrefix + strings.Repeat("A", maxToken), 0, "at most"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := tokenVerifier(signedAt.Add(test.after)).Verify(test.token, "tooling")
			require.ErrorIs(t, err, ErrToken)
			require.ErrorContains(t, err, test.reason)
			if len(test.token) > 20 {
				require.NotContains(t, err.Error(), test.token)
			}
		})
	}
}

// A URL signed without the cluster header is a good STS request, but must not
// be a token.
func TestPresignedURLWithoutClusterIsNoToken(t *testing.T) {
	r, err := http.NewRequest(http.MethodGet, regional+"/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60", nil)
	require.NoError(t, err)
	empty := sha256.Sum256(nil)
	signed, _, err := signer.NewSigner().PresignHTTP(context.Background(), operatorKeys, r, hex.EncodeToString(empty[:]), "sts", "eu-central-1", signedAt)
	require.NoError(t, err)
	_, _, err = tokenVerifier(signedAt).Verify(tokenPrefix+base64.RawURLEncoding.EncodeToString([]byte(signed)), "tooling")
	require.ErrorIs(t, err, ErrToken)
	require.ErrorContains(t, err, "any cluster")
}

func TestNewTokenNeedsAnEndpoint(t *testing.T) {
	_, err := NewToken(context.Background(), operatorKeys, "eu-central-1", "sts", "tooling", signedAt)
	require.ErrorContains(t, err, `"sts"`)
}
