package sigv4

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var signedAt = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func verifier(now time.Time) *Verifier {
	return &Verifier{
		Service: "sts", Now: func() time.Time { return now },
		Keys: func(id string) (Key, bool) { return Key{Secret: secret}, id == keyID },
	}
}

// signedHeader is a request signed by the AWS SDK, as a server would receive it.
func signedHeader(t require.TestingT, method, target, body string, header http.Header) Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for name, values := range header {
		r.Header[name] = values
	}
	err := signer.NewSigner().SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, r, hexSHA256([]byte(body)), "sts", "eu-central-1", signedAt)
	require.NoError(t, err)
	return FromHTTP(r, []byte(body))
}

func presigned(t require.TestingT, target string, header http.Header) Request {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for name, values := range header {
		r.Header[name] = values
	}
	signedURL, signedHeaders, err := signer.NewSigner().PresignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, r, hexSHA256(nil), "sts", "eu-central-1", signedAt)
	require.NoError(t, err)
	u, err := url.Parse(signedURL)
	require.NoError(t, err)
	delete(signedHeaders, "Host")
	return Request{Method: http.MethodGet, Host: u.Host, URL: u, Header: signedHeaders}
}

// The example that AWS publishes with its signature: a check against neither
// this code nor the SDK.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-examples.html
func TestPublishedExample(t *testing.T) {
	u, err := url.Parse("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
	require.NoError(t, err)
	r := Request{Method: http.MethodGet, Host: "iam.amazonaws.com", URL: u, Header: http.Header{
		"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"},
		"X-Amz-Date":   {"20150830T123600Z"},
		"Authorization": {"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
			"SignedHeaders=content-type;host;x-amz-date, " +
			"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
	}}
	v := verifier(time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC))
	v.Service = "iam"
	signature, err := v.Verify(r)
	require.NoError(t, err)
	require.Equal(t, keyID, signature.AccessKeyID)
	require.Equal(t, "us-east-1", signature.Region)
}

func TestHeaderSigned(t *testing.T) {
	r := signedHeader(t, http.MethodPost, "http://127.0.0.1:4000/", "Action=GetCallerIdentity&Version=2011-06-15",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Other": {"  two   words "}})
	signature, err := verifier(signedAt).Verify(r)
	require.NoError(t, err)
	require.False(t, signature.Presigned)
	require.Contains(t, signature.SignedHeaders, "content-type")
}

func TestPresigned(t *testing.T) {
	r := presigned(t, "https://sts.eu-central-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Expires=60",
		http.Header{"X-K8s-Aws-Id": {"tooling"}})
	signature, err := verifier(signedAt.Add(time.Minute)).Verify(r)
	require.NoError(t, err)
	require.True(t, signature.Presigned)
	require.Contains(t, signature.SignedHeaders, "x-k8s-aws-id")
}

func TestRefused(t *testing.T) {
	header := func(t *testing.T) Request {
		return signedHeader(t, http.MethodPost, "http://127.0.0.1:4000/", "Action=GetCallerIdentity", nil)
	}
	query := func(t *testing.T) Request {
		return presigned(t, "https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Expires=60", nil)
	}
	setAuthorization := func(old, replacement string) func(*Request) {
		return func(r *Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, replacement, 1))
		}
	}
	setQuery := func(name, value string) func(*Request) {
		return func(r *Request) {
			q := r.URL.Query()
			q.Set(name, value)
			r.URL.RawQuery = q.Encode()
		}
	}
	for name, test := range map[string]struct {
		request func(*testing.T) Request
		change  func(*Request)
		now     time.Duration
		code    string
	}{
		"no signature":            {header, func(r *Request) { r.Header.Del("Authorization") }, 0, "MissingAuthenticationToken"},
		"other algorithm":         {header, setAuthorization("AWS4-HMAC-SHA256", "AWS4-ECDSA"), 0, "IncompleteSignature"},
		"unknown key":             {header, setAuthorization(keyID, "AKIDOTHER"), 0, "InvalidClientTokenId"},
		"changed signature":       {header, setAuthorization("Signature=", "Signature=0"), 0, "SignatureDoesNotMatch"},
		"changed region":          {header, setAuthorization("eu-central-1", "us-east-1"), 0, "SignatureDoesNotMatch"},
		"other service":           {header, setAuthorization("/sts/", "/iam/"), 0, "SignatureDoesNotMatch"},
		"host not signed":         {header, setAuthorization("host;", ""), 0, "SignatureDoesNotMatch"},
		"changed body":            {header, func(r *Request) { r.Body = []byte("Action=AssumeRole") }, 0, "SignatureDoesNotMatch"},
		"changed host":            {header, func(r *Request) { r.Host = "127.0.0.1:4001" }, 0, "SignatureDoesNotMatch"},
		"changed path":            {header, func(r *Request) { r.URL.Path = "/other" }, 0, "SignatureDoesNotMatch"},
		"changed method":          {header, func(r *Request) { r.Method = http.MethodPut }, 0, "SignatureDoesNotMatch"},
		"unsigned amz header":     {header, func(r *Request) { r.Header.Set("X-Amz-Target", "x") }, 0, "SignatureDoesNotMatch"},
		"session token on a user": {query, setQuery("X-Amz-Security-Token", "x"), 0, "InvalidClientTokenId"},
		"other date":              {header, func(r *Request) { r.Header.Set("X-Amz-Date", "20260302T120000Z") }, 0, "SignatureDoesNotMatch"},
		"two dates":               {header, func(r *Request) { r.Header.Add("X-Amz-Date", "20260301T120000Z") }, 0, "IncompleteSignature"},
		"old header":              {header, nil, clockSkew + time.Second, "ExpiredToken"},
		"header from the future":  {header, nil, -clockSkew - time.Second, "SignatureDoesNotMatch"},
		"old query":               {query, nil, 61 * time.Second, "ExpiredToken"},
		"longer life":             {query, setQuery("X-Amz-Expires", "600"), 0, "SignatureDoesNotMatch"},
		"life not a number":       {query, setQuery("X-Amz-Expires", "soon"), 0, "IncompleteSignature"},
		"life too long":           {query, setQuery("X-Amz-Expires", "604801"), 0, "IncompleteSignature"},
		"changed action":          {query, setQuery("Action", "AssumeRole"), 0, "SignatureDoesNotMatch"},
		"added parameter":         {query, setQuery("Extra", "1"), 0, "SignatureDoesNotMatch"},
		"parameter twice":         {query, func(r *Request) { r.URL.RawQuery += "&Action=GetCallerIdentity" }, 0, "IncompleteSignature"},
		"both places":             {query, func(r *Request) { r.Header.Set("Authorization", algorithm+" x=y") }, 0, "IncompleteSignature"},
		"credential cut short":    {query, setQuery("X-Amz-Credential", keyID), 0, "IncompleteSignature"},
		"signed header missing":   {query, setQuery("X-Amz-SignedHeaders", "host;x-k8s-aws-id"), 0, "SignatureDoesNotMatch"},
		"headers out of order":    {query, setQuery("X-Amz-SignedHeaders", "x-k8s-aws-id;host"), 0, "IncompleteSignature"},
		"bad percent-encoding":    {query, func(r *Request) { r.URL.RawQuery += "&a=%zz" }, 0, "IncompleteSignature"},
		"signature not there":     {query, setQuery("X-Amz-Signature", ""), 0, "IncompleteSignature"},
	} {
		t.Run(name, func(t *testing.T) {
			r := test.request(t)
			if test.change != nil {
				test.change(&r)
			}
			_, err := verifier(signedAt.Add(test.now)).Verify(r)
			var refused *Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.code, refused.Code, err.Error())
		})
	}
}

// STS keeps a presigned URL good for 15 minutes whatever X-Amz-Expires says;
// clients rely on it, because they sign with 60 seconds and keep the URL longer.
func TestPresignedLifeOverridesExpires(t *testing.T) {
	r := presigned(t, "https://sts.amazonaws.com/?Action=GetCallerIdentity&X-Amz-Expires=60", nil)
	v := verifier(signedAt.Add(15 * time.Minute))
	v.PresignedLife = 15 * time.Minute
	_, err := v.Verify(r)
	require.NoError(t, err)
	v.Now = func() time.Time { return signedAt.Add(15*time.Minute + time.Second) }
	_, err = v.Verify(r)
	require.ErrorContains(t, err, "ExpiredToken")
}

func TestSessionTokenMustMatch(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:4000/?Action=GetCallerIdentity", nil)
	require.NoError(t, signer.NewSigner().SignHTTP(context.Background(),
		aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "session"}, r, hexSHA256(nil), "sts", "us-east-1", signedAt))
	v := verifier(signedAt)
	v.Keys = func(string) (Key, bool) { return Key{Secret: secret, SessionToken: "session"}, true }
	_, err := v.Verify(FromHTTP(r, nil))
	require.NoError(t, err)
	v.Keys = func(string) (Key, bool) { return Key{Secret: secret, SessionToken: "another"}, true }
	_, err = v.Verify(FromHTTP(r, nil))
	require.ErrorContains(t, err, "InvalidClientTokenId")
}

// Whatever the SDK signs is accepted, and one changed byte of the body, the
// query or a header is not. Names of parameters are those that AWS has: the SDK
// sorts them before it encodes them, AWS afterwards, which differs for others.
func TestSDKRequestsProperty(t *testing.T) {
	text := rapid.StringMatching(`[ -~]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		query := url.Values{}
		for range rapid.IntRange(0, 4).Draw(t, "parameters") {
			query.Set(rapid.StringMatching(`[a-zA-Z.~_-]{1,8}`).Draw(t, "name"), text.Draw(t, "value"))
		}
		path := rapid.StringMatching(`/([a-z %+~]{0,6}/?){0,3}`).Draw(t, "path")
		u := url.URL{Scheme: "http", Host: "127.0.0.1:4000", Path: path, RawQuery: query.Encode()}
		body := text.Draw(t, "body")
		// A header of blanks only never crosses the wire as it was.
		value := strings.TrimSpace(text.Draw(t, "header"))
		r := signedHeader(t, http.MethodPost, "http://127.0.0.1:4000"+u.RequestURI(), body, http.Header{"X-Other": {value}})
		_, err := verifier(signedAt).Verify(r)
		require.NoError(t, err)

		changed := r
		changed.Body = append(bytes.Clone(r.Body), 'x')
		_, err = verifier(signedAt).Verify(changed)
		require.Error(t, err)

		changed = r
		changed.Header = r.Header.Clone()
		changed.Header.Set("X-Other", value+"x")
		_, err = verifier(signedAt).Verify(changed)
		require.Error(t, err)
	})
}
