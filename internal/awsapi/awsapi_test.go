package awsapi

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/stretchr/testify/require"
)

// session sends everything to a server of the test. Whether the signatures are
// good is proven where a second writing of the algorithm checks them, in the
// tests of the command line.
func session(t *testing.T, serve http.HandlerFunc) *Session {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return &Session{
		Region: "eu-central-1", Endpoints: map[string]string{"": server.URL}, Client: server.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "a secret"}, nil
		}),
		Now:  func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	}
}

func TestObjects(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		header map[string]string
		answer string
		is     error
		want   string
	}{
		"there":   {200, map[string]string{"ETag": `"e1"`}, "data", nil, ""},
		"never":   {404, nil, "<Error><Code>NoSuchKey</Code><Message>no</Message></Error>", ErrNoObject, "NoSuchKey: no"},
		"deleted": {404, map[string]string{"x-amz-delete-marker": "true"}, "<Error><Code>NoSuchKey</Code></Error>", nil, "remove its delete marker"},
		"no bucket": {404, nil, "<Error><Code>NoSuchBucket</Code><Message>no</Message><RequestId>R1</RequestId></Error>", nil,
			"NoSuchBucket: no (request R1)"},
		"denied":  {403, nil, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", nil, "AccessDenied: Access Denied"},
		"no text": {418, nil, "", nil, "HTTP status 418"},
	} {
		t.Run(name, func(t *testing.T) {
			s := session(t, func(w http.ResponseWriter, r *http.Request) {
				require.Equal(t, "/bucket/vpn/index.json", r.URL.Path)
				require.Contains(t, r.Header.Get("Authorization"), "Credential=AKIDEXAMPLE/20300102/eu-central-1/s3/aws4_request")
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.answer)
			})
			data, etag, err := s.GetObject(t.Context(), "bucket", "vpn/index.json")
			if tt.want == "" {
				require.NoError(t, err)
				require.Equal(t, "data", string(data))
				require.Equal(t, `"e1"`, etag)
				return
			}
			require.ErrorContains(t, err, tt.want)
			if tt.is != nil {
				require.ErrorIs(t, err, tt.is)
			} else {
				require.NotErrorIs(t, err, ErrNoObject, "it would be taken for an empty index")
			}
		})
	}
}

func TestConditionalWrites(t *testing.T) {
	var status int
	var seen http.Header
	var body string
	s := session(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		seen, body = r.Header, string(text)
		w.WriteHeader(status)
	})
	status = 200
	require.NoError(t, s.PutObject(t.Context(), "bucket", "k", []byte("one"), ""))
	require.Equal(t, "one", body)
	require.Equal(t, "*", seen.Get("If-None-Match"))
	require.Empty(t, seen.Values("If-Match"))
	require.NoError(t, s.PutObject(t.Context(), "bucket", "k", []byte("two"), `"e1"`))
	require.Equal(t, `"e1"`, seen.Get("If-Match"))
	require.Empty(t, seen.Values("If-None-Match"))
	for _, status = range []int{412, 409} {
		require.ErrorIs(t, s.PutObject(t.Context(), "bucket", "k", nil, `"e1"`), ErrCondition)
	}
	status = 403
	err := s.PutObject(t.Context(), "bucket", "k", nil, `"e1"`)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrCondition)
}

func TestImport(t *testing.T) {
	var form url.Values
	text := `<ImportClientVpnClientCertificateRevocationListResponse><return>true</return></ImportClientVpnClientCertificateRevocationListResponse>`
	s := session(t, func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		form = r.PostForm
		_, _ = io.WriteString(w, text)
	})
	require.NoError(t, s.ImportClientVPNRevocationList(t.Context(), "cvpn-endpoint-1", "-----BEGIN X509 CRL-----\n+/=&\n"))
	require.Equal(t, url.Values{
		"Action": {"ImportClientVpnClientCertificateRevocationList"}, "Version": {"2016-11-15"},
		"ClientVpnEndpointId": {"cvpn-endpoint-1"}, "CertificateRevocationList": {"-----BEGIN X509 CRL-----\n+/=&\n"},
	}, form)
	text = "<html>a proxy's page</html>"
	require.ErrorContains(t, s.ImportClientVPNRevocationList(t.Context(), "x", "y"), "the answer is not that of EC2")
}

func TestErrorOfEC2(t *testing.T) {
	s := session(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `<Response><Errors><Error><Code>InvalidClientVpnEndpointId.NotFound</Code><Message>Endpoint x does not exist</Message></Error></Errors><RequestID>R2</RequestID></Response>`)
	})
	require.ErrorContains(t, s.ImportClientVPNRevocationList(t.Context(), "x", "y"),
		"InvalidClientVpnEndpointId.NotFound: Endpoint x does not exist (request R2)")
}

// Proves that what may pass is tried again, and what will not is not.
func TestTries(t *testing.T) {
	for status, want := range map[int]int32{500: 4, 503: 4, 429: 4, 400: 1, 403: 1} {
		var calls atomic.Int32
		s := session(t, func(w http.ResponseWriter, _ *http.Request) {
			calls.Add(1)
			w.WriteHeader(status)
		})
		_, _, err := s.GetObject(t.Context(), "b", "k")
		require.Error(t, err)
		require.Equal(t, want, calls.Load(), status)
	}
	var calls atomic.Int32
	s := session(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) < 3 {
			w.WriteHeader(500)
		}
	})
	_, _, err := s.GetObject(t.Context(), "b", "k")
	require.NoError(t, err)
	s.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, io.EOF })
	_, _, err = s.GetObject(t.Context(), "b", "k")
	require.ErrorContains(t, err, "aws sts get-caller-identity")
}

func TestAddresses(t *testing.T) {
	for region, want := range map[string]string{
		"eu-central-1": "https://bucket.s3.eu-central-1.amazonaws.com/vpn/index.json",
		"cn-north-1":   "https://bucket.s3.cn-north-1.amazonaws.com.cn/vpn/index.json",
	} {
		require.Equal(t, want, (&Session{Region: region}).objectURL("bucket", "vpn/index.json"))
	}
	require.Equal(t, "https://s3.eu-west-1.amazonaws.com/a.b/k", (&Session{Region: "eu-west-1"}).objectURL("a.b", "k"))
	s := &Session{Region: "eu-west-1", Endpoints: map[string]string{"": "http://127.0.0.1:1", "s3": "http://127.0.0.1:2"}}
	require.Equal(t, "http://127.0.0.1:2/a/k", s.objectURL("a", "k"))
}

// Proves that the sandbox's files and addresses are taken where they are given.
func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "credentials")
	require.NoError(t, os.WriteFile(file, []byte("[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n"), 0o600))
	empty := filepath.Join(dir, "config")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL"} {
		t.Setenv(name, "")
	}
	env := map[string]string{"AWS_SHARED_CREDENTIALS_FILE": file, "AWS_CONFIG_FILE": empty, "AWS_ENDPOINT_URL": "http://127.0.0.1:1/", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:2"}
	get := func(name string) string { return env[name] }
	s, err := Load(t.Context(), "eu-west-1", get)
	require.NoError(t, err)
	c, err := s.Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	require.Equal(t, "AKIDFILE", c.AccessKeyID)
	require.Equal(t, map[string]string{"": "http://127.0.0.1:1", "s3": "http://127.0.0.1:2"}, s.Endpoints)
	_, err = Load(t.Context(), "", get)
	require.ErrorContains(t, err, "set AWS_REGION")
	env["AWS_ENDPOINT_URL_EC2"] = "somewhere"
	_, err = Load(t.Context(), "eu-west-1", get)
	require.ErrorContains(t, err, `AWS_ENDPOINT_URL_EC2 is "somewhere"`)
	require.False(t, strings.Contains(err.Error(), "AKID"))
}
