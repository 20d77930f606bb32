// Package awsapitest calls the simulated data planes in tests, with requests that
// the AWS SDK signs.
package awsapitest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
)

// Caller signs requests.
type Caller struct {
	AccessKeyID, Secret, Token string
	Region                     string
}

// Call makes one call of the JSON protocol and returns the answer with its
// status.
func Call(t *testing.T, handler http.Handler, c Caller, service, target string, input any) (int, map[string]any) {
	t.Helper()
	body, err := json.Marshal(input)
	require.NoError(t, err)
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "http://127.0.0.1/", bytes.NewReader(body))
	r.Header.Set("X-Amz-Target", target)
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.Secret, SessionToken: c.Token}
	require.NoError(t, signer.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(hash[:]), service, c.Region, time.Now()))
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	var answer map[string]any
	require.NoError(t, json.NewDecoder(w.Body).Decode(&answer), w.Body.String())
	return w.Code, answer
}

// Refused asserts that an answer is a refusal with a code.
func Refused(t *testing.T, code string, status int, answer map[string]any) {
	t.Helper()
	require.GreaterOrEqual(t, status, 400, "%v", answer)
	require.Equal(t, code, answer["__type"], "%v", answer)
}
