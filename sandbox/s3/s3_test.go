package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/s3"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

const (
	region     = "eu-central-1"
	bucketType = "aws:s3/bucketV2:BucketV2"
)

// store is the simulated S3 with the bucket "vpn-index", as a client sees it.
type store struct {
	t        *testing.T
	account  *account.Account
	url      string
	identity account.Identity
	// region of the signatures.
	region string
	// payload stands for the body in the signature; empty: its hash.
	payload string
}

func newStore(t *testing.T) *store {
	t.Helper()
	a, err := account.Open(t.TempDir(), nil, account.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	for typ, inputs := range map[string]map[string]any{bucketType: {"bucket": "vpn-index", "forceDestroy": false}} {
		_, _, err = a.Create(t.Context(), account.CreateRequest{Type: typ, Region: region, Inputs: inputs})
		require.NoError(t, err)
	}
	_, _, err = a.Create(t.Context(), account.CreateRequest{
		Type: "aws:s3/bucketVersioningV2:BucketVersioningV2", Region: region,
		Inputs: map[string]any{"bucket": "vpn-index", "versioningConfiguration": map[string]any{"status": "Enabled"}},
	})
	require.NoError(t, err)
	server := httptest.NewServer(&s3.Server{
		Account: a, Log: slog.New(slog.DiscardHandler),
		Credentials: func(id string) (awsapi.Credential, bool) {
			identity, found := a.IdentityByAccessKey(id)
			return awsapi.Credential{Key: sigv4.Key{Secret: identity.SecretAccessKey}, Caller: awsapi.Caller{ARN: identity.ARN}}, found
		},
	})
	t.Cleanup(server.Close)
	operator, found := a.Identity("sandbox-operator")
	require.True(t, found)
	return &store{t: t, account: a, url: server.URL, identity: operator, region: region}
}

// answer is what the body of an answer leaves.
type answer struct {
	StatusCode int
	Header     http.Header
}

// do sends a request signed by AWS's own SDK and returns the answer with its body.
func (s *store) do(method, path string, body []byte, header map[string]string) (answer, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.url+path, bytes.NewReader(body))
	require.NoError(s.t, err)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	payload := s.payload
	if payload == "" {
		sum := sha256.Sum256(body)
		payload = hex.EncodeToString(sum[:])
	}
	r.Header.Set("X-Amz-Content-Sha256", payload)
	sign := signer.NewSigner(func(o *signer.SignerOptions) { o.DisableURIPathEscaping = true }) // as the SDK does for S3
	credentials := aws.Credentials{AccessKeyID: s.identity.AccessKeyID, SecretAccessKey: s.identity.SecretAccessKey}
	require.NoError(s.t, sign.SignHTTP(context.Background(), credentials, r, payload, "s3", s.region, time.Now()))
	response, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return answer{response.StatusCode, response.Header}, string(text)
}

func TestObject(t *testing.T) {
	s := newStore(t)
	const path = "/vpn-index/vpn/index%20of%20people%2B%C3%A4.json"
	response, text := s.do(http.MethodGet, path, nil, nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Contains(t, text, "<Code>NoSuchKey</Code>")

	first, _ := s.do(http.MethodPut, path, []byte("one"), map[string]string{"If-None-Match": "*", "Content-Type": "application/json"})
	require.Equal(t, http.StatusOK, first.StatusCode)
	require.Equal(t, `"f97c5d29941bfb1b2fdab0874906ab82"`, first.Header.Get("ETag"))
	require.NotEmpty(t, first.Header.Get("X-Amz-Version-Id"))
	for header, value := range map[string]string{"If-None-Match": "*", "If-Match": `"0"`} {
		response, text = s.do(http.MethodPut, path, []byte("two"), map[string]string{header: value})
		require.Equal(t, http.StatusPreconditionFailed, response.StatusCode)
		require.Contains(t, text, "<Code>PreconditionFailed</Code>")
	}
	response, _ = s.do(http.MethodPut, path, []byte("two"), map[string]string{"If-Match": first.Header.Get("ETag")})
	require.Equal(t, http.StatusOK, response.StatusCode)

	response, text = s.do(http.MethodGet, path, nil, nil)
	require.Equal(t, "two", text)
	etag := response.Header.Get("ETag")
	response, text = s.do(http.MethodHead, path, nil, nil)
	require.Empty(t, text)
	require.Equal(t, "3", response.Header.Get("Content-Length"))
	require.Equal(t, etag, response.Header.Get("ETag"))
	response, _ = s.do(http.MethodGet, path, nil, map[string]string{"If-None-Match": etag})
	require.Equal(t, http.StatusNotModified, response.StatusCode)
	response, _ = s.do(http.MethodGet, path, nil, map[string]string{"If-Match": `"0"`})
	require.Equal(t, http.StatusPreconditionFailed, response.StatusCode)
	_, text = s.do(http.MethodGet, path+"?versionId="+first.Header.Get("X-Amz-Version-Id"), nil, nil)
	require.Equal(t, "one", text, "what was written over is kept")
	response, text = s.do(http.MethodGet, path+"?versionId=none", nil, nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Contains(t, text, "NoSuchVersion")

	_, text = s.do(http.MethodGet, "/vpn-index?list-type=2&prefix=vpn/", nil, nil)
	require.Contains(t, text, "<KeyCount>1</KeyCount>")
	_, text = s.do(http.MethodGet, "/vpn-index?versions", nil, nil)
	require.Equal(t, 2, strings.Count(text, "<Version>"))
	require.Equal(t, 1, strings.Count(text, "<IsLatest>true</IsLatest>"))

	response, _ = s.do(http.MethodDelete, path, nil, nil)
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Equal(t, "true", response.Header.Get("X-Amz-Delete-Marker"))
	response, _ = s.do(http.MethodGet, path, nil, nil)
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	require.Equal(t, "true", response.Header.Get("X-Amz-Delete-Marker"), "deleted, and not never there")
	require.ErrorContains(t, s.account.Delete(t.Context(), bucketType, "vpn-index"), "BucketNotEmpty")
}

// Of many who write on the same version one wins.
func TestConcurrentWrites(t *testing.T) {
	s := newStore(t)
	first, _ := s.do(http.MethodPut, "/vpn-index/k", []byte("0"), nil)
	var wins sync.Map
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			response, _ := s.do(http.MethodPut, "/vpn-index/k", fmt.Append(nil, i, "x"), map[string]string{"If-Match": first.Header.Get("ETag")})
			if response.StatusCode == http.StatusOK {
				wins.Store(i, true)
			}
		})
	}
	all.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
}

func TestPayloads(t *testing.T) {
	s := newStore(t)
	s.payload = "UNSIGNED-PAYLOAD"
	response, _ := s.do(http.MethodPut, "/vpn-index/k", []byte("unsigned"), nil)
	require.Equal(t, http.StatusOK, response.StatusCode)

	s.payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	chunks := "5\r\nhello\r\n6;chunk-signature=0\r\n world\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
	response, text := s.do(http.MethodPut, "/vpn-index/k", []byte(chunks), map[string]string{"X-Amz-Decoded-Content-Length": "11", "Content-Encoding": "aws-chunked"})
	require.Equal(t, http.StatusOK, response.StatusCode, text)
	s.payload = ""
	_, text = s.do(http.MethodGet, "/vpn-index/k", nil, nil)
	require.Equal(t, "hello world", text)

	s.payload = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
	for _, broken := range []string{"5\r\nhel", "5\r\nhello world\r\n0\r\n\r\n", "x\r\n", "b\r\nhello world\r\n0\r\n"} {
		response, text = s.do(http.MethodPut, "/vpn-index/k", []byte(broken), map[string]string{"X-Amz-Decoded-Content-Length": "1"})
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, text, "IncompleteBody", broken)
	}
	s.payload = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	response, _ = s.do(http.MethodPut, "/vpn-index/k", []byte(chunks), nil)
	require.Equal(t, http.StatusNotImplemented, response.StatusCode)

	s.payload = ""
	for header, sum := range map[string]string{"X-Amz-Checksum-Crc32": "2Ud2kA==", "X-Amz-Checksum-Sha256": "AAAA", "Content-Md5": "AAAA"} {
		response, text = s.do(http.MethodPut, "/vpn-index/k", []byte("one"), map[string]string{header: sum})
		require.Equal(t, http.StatusBadRequest, response.StatusCode)
		require.Contains(t, text, "BadDigest")
	}
	_, text = s.do(http.MethodGet, "/vpn-index/k", nil, nil)
	require.Equal(t, "hello world", text, "nothing of what was refused was written")
}

func TestRefused(t *testing.T) {
	s := newStore(t)
	for name, test := range map[string]struct {
		method, path string
		header       map[string]string
		status       int
		code         string
	}{
		"no bucket":      {"GET", "/none/k", nil, 404, "NoSuchBucket"},
		"put, no bucket": {"PUT", "/none/k", nil, 404, "NoSuchBucket"},
		"all buckets":    {"GET", "/", nil, 501, "NotImplemented"},
		"make a bucket":  {"PUT", "/other", nil, 404, "NoSuchBucket"},
		"old list":       {"GET", "/vpn-index", nil, 501, "NotImplemented"},
		"tags":           {"GET", "/vpn-index/k?tagging", nil, 501, "NotImplemented"},
		"range":          {"GET", "/vpn-index/k", map[string]string{"Range": "bytes=0-1"}, 501, "NotImplemented"},
		"copy":           {"PUT", "/vpn-index/k", map[string]string{"X-Amz-Copy-Source": "/a/b"}, 501, "NotImplemented"},
		"both":           {"PUT", "/vpn-index/k", map[string]string{"If-Match": `"0"`, "If-None-Match": "*"}, 400, "InvalidRequest"},
		"none of one":    {"PUT", "/vpn-index/k", map[string]string{"If-None-Match": `"0"`}, 501, "NotImplemented"},
		"method":         {"PATCH", "/vpn-index/k", nil, 405, "MethodNotAllowed"},
		"long key":       {"PUT", "/vpn-index/" + strings.Repeat("k", 1025), nil, 400, "KeyTooLongError"},
	} {
		t.Run(name, func(t *testing.T) {
			response, text := s.do(test.method, test.path, nil, test.header)
			require.Equal(t, test.status, response.StatusCode, text)
			require.Contains(t, text, "<Code>"+test.code+"</Code>")
		})
	}
	s.region = "us-east-1"
	_, text := s.do("GET", "/vpn-index/k", nil, nil)
	require.Contains(t, text, "expecting &#39;eu-central-1&#39;")
	s.region = region
	s.identity.SecretAccessKey = "wrong"
	_, text = s.do("GET", "/vpn-index/k", nil, nil)
	require.Contains(t, text, "SignatureDoesNotMatch")
	s.identity, _ = s.account.Identity("sandbox-stranger")
	response, text := s.do("GET", "/vpn-index/k", nil, nil)
	require.Equal(t, http.StatusForbidden, response.StatusCode)
	require.Contains(t, text, "AccessDenied")
}
