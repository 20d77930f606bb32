package sts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

const account = "123456789012"

var (
	operator = Identity{Account: account, ARN: "arn:aws:iam::" + account + ":user/sandbox-operator", UserID: "AIDAOPERATOR"}
	stranger = Identity{Account: account, ARN: "arn:aws:iam::" + account + ":user/sandbox-stranger", UserID: "AIDASTRANGER"}

	operatorKeys = aws.Credentials{AccessKeyID: "AKIAOPERATOR", SecretAccessKey: "operator-secret"}
	strangerKeys = aws.Credentials{AccessKeyID: "AKIASTRANGER", SecretAccessKey: "stranger-secret"}
)

func credentials(id string) (Credential, bool) {
	switch id {
	case operatorKeys.AccessKeyID:
		return Credential{Secret: operatorKeys.SecretAccessKey, Identity: operator}, true
	case strangerKeys.AccessKeyID:
		return Credential{Secret: strangerKeys.SecretAccessKey, Identity: stranger}, true
	default:
		return Credential{}, false
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func startServer(t *testing.T) *httptest.Server {
	server := httptest.NewServer(&Server{Credentials: credentials, Log: discard()})
	t.Cleanup(server.Close)
	return server
}

func do(t *testing.T, r *http.Request) (int, string) {
	response, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

func signedPost(t *testing.T, url, body string, keys aws.Credentials) *http.Request {
	r, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	hash := sha256.Sum256([]byte(body))
	require.NoError(t, signer.NewSigner().SignHTTP(context.Background(), keys, r, hex.EncodeToString(hash[:]), "sts", "us-east-1", time.Now()))
	return r
}

// Vault's AWS login sends a request that was signed for "/" to "//", also through a mux.
func TestRedundantSlashes(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/", &Server{Credentials: credentials, Log: discard()})
	server := httptest.NewServer(RootPath(mux))
	t.Cleanup(server.Close)
	request := signedPost(t, server.URL+"/", "Action=GetCallerIdentity&Version=2011-06-15", operatorKeys)
	request.URL.Path = "//"
	status, text := do(t, request)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, operator.ARN)
	request = signedPost(t, server.URL+"/other", "Action=GetCallerIdentity&Version=2011-06-15", operatorKeys)
	status, _ = do(t, request)
	require.Equal(t, http.StatusBadRequest, status)
}

func TestCallerIdentityOverHTTP(t *testing.T) {
	server := startServer(t)
	const body = "Action=GetCallerIdentity&Version=2011-06-15"

	t.Run("header-signed post answers XML", func(t *testing.T) {
		status, text := do(t, signedPost(t, server.URL, body, strangerKeys))
		require.Equal(t, http.StatusOK, status, text)
		var answer callerIdentityResponse
		require.NoError(t, xml.Unmarshal([]byte(text), &answer))
		require.Equal(t, callerIdentityResult{stranger.ARN, stranger.UserID, account}, answer.Result)
	})
	t.Run("answers JSON where asked", func(t *testing.T) {
		r := signedPost(t, server.URL, body, operatorKeys)
		r.Header.Set("Accept", "application/json")
		status, text := do(t, r)
		require.Equal(t, http.StatusOK, status, text)
		var answer struct {
			GetCallerIdentityResponse struct{ GetCallerIdentityResult callerIdentityResult }
		}
		require.NoError(t, json.Unmarshal([]byte(text), &answer))
		require.Equal(t, operator.ARN, answer.GetCallerIdentityResponse.GetCallerIdentityResult.Arn)
	})
	t.Run("presigned get", func(t *testing.T) {
		r, err := http.NewRequest(http.MethodGet, server.URL+"/?"+body+"&X-Amz-Expires=60", nil)
		require.NoError(t, err)
		empty := sha256.Sum256(nil)
		signed, _, err := signer.NewSigner().PresignHTTP(context.Background(), operatorKeys, r, hex.EncodeToString(empty[:]), "sts", "us-east-1", time.Now())
		require.NoError(t, err)
		r, err = http.NewRequest(http.MethodGet, signed, nil)
		require.NoError(t, err)
		status, text := do(t, r)
		require.Equal(t, http.StatusOK, status, text)
		require.Contains(t, text, operator.ARN)
	})

	unsigned, err := http.NewRequest(http.MethodPost, server.URL, strings.NewReader(body))
	require.NoError(t, err)
	tampered := signedPost(t, server.URL, body, operatorKeys)
	tampered.Header.Set("X-Amz-Date", time.Now().UTC().Add(time.Minute).Format("20060102T150405Z"))
	for name, test := range map[string]struct {
		request *http.Request
		status  int
		code    string
	}{
		"unsigned":      {unsigned, http.StatusForbidden, "MissingAuthenticationToken"},
		"tampered":      {tampered, http.StatusForbidden, "SignatureDoesNotMatch"},
		"unknown key":   {signedPost(t, server.URL, body, aws.Credentials{AccessKeyID: "AKIANOBODY", SecretAccessKey: "x"}), http.StatusForbidden, "InvalidClientTokenId"},
		"wrong secret":  {signedPost(t, server.URL, body, aws.Credentials{AccessKeyID: operatorKeys.AccessKeyID, SecretAccessKey: "x"}), http.StatusForbidden, "SignatureDoesNotMatch"},
		"other action":  {signedPost(t, server.URL, "Action=AssumeRole", operatorKeys), http.StatusBadRequest, "InvalidAction"},
		"other path":    {signedPost(t, server.URL+"/keys", body, operatorKeys), http.StatusBadRequest, "InvalidAction"},
		"too long body": {signedPost(t, server.URL, body+strings.Repeat("x", maxBody), operatorKeys), http.StatusBadRequest, "MalformedInput"},
	} {
		t.Run(name, func(t *testing.T) {
			status, text := do(t, test.request)
			require.Equal(t, test.status, status, text)
			var answer errorResponse
			require.NoError(t, xml.Unmarshal([]byte(text), &answer), text)
			require.Equal(t, test.code, answer.Error.Code)
		})
	}
}
