package sts

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

// An EKS token is a presigned GetCallerIdentity URL that has the cluster's name
// under its signature.
// https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
const (
	tokenPrefix   = "k8s-aws-v1."
	clusterHeader = "X-K8s-Aws-Id"
	maxToken      = 4096
	// TokenLife is how long a client should keep a token: a minute less than STS
	// accepts it.
	TokenLife = presignedLife - time.Minute
)

// ErrToken is wrapped by every refusal of a token.
var ErrToken = errors.New("token refused")

// tokenParameters are the only query parameters a token may carry, in lower
// case: anything else could make the URL another request.
var tokenParameters = []string{
	"action", "version", "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires",
	"x-amz-security-token", "x-amz-signature", "x-amz-signedheaders",
}

// NewToken signs a token for cluster as `aws eks get-token` does. Endpoint is
// the URL of STS, such as https://sts.eu-central-1.amazonaws.com/ or that of the
// sandbox; nothing is sent to it.
func NewToken(ctx context.Context, credentials aws.Credentials, region, endpoint, cluster string, now time.Time) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("sts endpoint %q is not a URL with a host", endpoint)
	}
	u.Path = "/"
	u.RawQuery = url.Values{
		"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}, "X-Amz-Expires": {"60"},
	}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return "", fmt.Errorf("build the request for sts: %w", err)
	}
	r.Header.Set(clusterHeader, cluster)
	empty := sha256.Sum256(nil)
	signed, _, err := signer.NewSigner().PresignHTTP(ctx, credentials, r, hex.EncodeToString(empty[:]), "sts", region, now)
	if err != nil {
		return "", fmt.Errorf("sign the token for cluster %q: %w", cluster, err)
	}
	return tokenPrefix + base64.RawURLEncoding.EncodeToString([]byte(signed)), nil
}

// TokenVerifier tells whose token it is, without a request to anyone.
type TokenVerifier struct {
	Credentials Credentials
	// Endpoint is the host:port of the sandbox's own STS. Tokens may be signed
	// for it or for AWS's own STS host names, because clients differ in whether
	// they take the endpoint from the environment. The keys exist only here, so
	// neither could be used in the cloud.
	Endpoint string
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Verify returns the identity and the access key id of the one who signed token
// for cluster. Errors wrap ErrToken and never contain the token.
func (v *TokenVerifier) Verify(token, cluster string) (Identity, string, error) {
	identity, key, err := v.verify(token, cluster)
	if err != nil {
		return Identity{}, "", fmt.Errorf("%w: %w", ErrToken, err)
	}
	return identity, key, nil
}

func (v *TokenVerifier) verify(token, cluster string) (Identity, string, error) {
	u, err := v.parse(token)
	if err != nil {
		return Identity{}, "", err
	}
	header := http.Header{}
	header.Set(clusterHeader, cluster)
	signature, err := v.Credentials.verifier(v.Now).Verify(sigv4.Request{
		Method: http.MethodGet, Host: u.Host, URL: u, Header: header,
	})
	if err != nil {
		var refused *sigv4.Error
		if errors.As(err, &refused) && refused.Code == "SignatureDoesNotMatch" {
			// The cluster's name is not in the token, so a token for another
			// cluster cannot be told from an altered one.
			return Identity{}, "", fmt.Errorf("signed for another cluster than %q, or altered: %w", cluster, err)
		}
		return Identity{}, "", err
	}
	if !slices.Contains(signature.SignedHeaders, strings.ToLower(clusterHeader)) {
		return Identity{}, "", fmt.Errorf("the %s header is not signed: the token would be good for any cluster", strings.ToLower(clusterHeader))
	}
	credential, found := v.Credentials(signature.AccessKeyID)
	if !found {
		return Identity{}, "", errors.New("the access key was removed")
	}
	return credential.Identity, signature.AccessKeyID, nil
}

func (v *TokenVerifier) parse(token string) (*url.URL, error) {
	if len(token) > maxToken {
		return nil, fmt.Errorf("%d bytes long, at most %d are accepted", len(token), maxToken)
	}
	encoded, found := strings.CutPrefix(token, tokenPrefix)
	if !found {
		return nil, fmt.Errorf("does not begin with %q", tokenPrefix)
	}
	decoded, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return nil, errors.New("is not base64url after its prefix")
	}
	u, err := url.Parse(string(decoded))
	if err != nil {
		return nil, errors.New("does not hold a URL")
	}
	if err := v.checkURL(u); err != nil {
		return nil, err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the query of its URL is malformed")
	}
	for name := range query {
		if !slices.Contains(tokenParameters, strings.ToLower(name)) {
			return nil, fmt.Errorf("query parameter %q does not belong in a token", name)
		}
	}
	if query.Get("Action") != "GetCallerIdentity" {
		return nil, fmt.Errorf("its action is %q, want GetCallerIdentity", query.Get("Action"))
	}
	if query.Get("X-Amz-Algorithm") == "" {
		return nil, errors.New("its URL is not signed")
	}
	return u, nil
}

func (v *TokenVerifier) checkURL(u *url.URL) error {
	switch {
	case u.User != nil || u.Fragment != "" || u.Opaque != "":
		return errors.New("its URL has more than scheme, host, path and query")
	case u.Path != "/":
		return fmt.Errorf("the path of its URL is %q, want /", u.Path)
	case v.Endpoint != "" && u.Host == v.Endpoint && u.Scheme == "http":
		return nil
	case u.Scheme == "https" && isSTSHost(u.Host):
		return nil
	default:
		return fmt.Errorf("signed for %s://%s, want the sandbox's STS at http://%s or https://sts.<region>.amazonaws.com", u.Scheme, u.Host, v.Endpoint)
	}
}

func isSTSHost(host string) bool {
	if host == "sts.amazonaws.com" {
		return true
	}
	region, found := strings.CutPrefix(host, "sts.")
	if !found {
		return false
	}
	region, found = strings.CutSuffix(region, ".amazonaws.com")
	return found && region != "" && !strings.ContainsAny(region, "./:@")
}
