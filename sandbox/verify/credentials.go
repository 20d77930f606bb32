package verify

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// PodToken is what the kubelet would give to a pod: a token of its service account. No
// audience: one for the cluster's API.
func PodToken(ctx context.Context, client kubernetes.Interface, namespace, serviceAccount string, audiences ...string) (string, error) {
	answer, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{Audiences: audiences}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of the service account %s/%s: %w", namespace, serviceAccount, err)
	}
	return answer.Status.Token, nil
}

// IAMLogin is what logs in as an IAM role: the request for GetCallerIdentity, signed as
// the AWS SDK does, that Vault sends on to STS. serverID is part of what is signed.
func IAMLogin(ctx context.Context, credentials aws.Credentials, region, serverID string) (map[string]any, error) {
	const body = "Action=GetCallerIdentity&Version=2011-06-15"
	url := "https://sts." + region + ".amazonaws.com/"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request to STS: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	request.Header.Set("X-Vault-AWS-IAM-Server-ID", serverID)
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "sts", region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign the request to STS: %w", err)
	}
	headers, err := json.Marshal(request.Header)
	if err != nil {
		return nil, fmt.Errorf("request to STS: %w", err)
	}
	return map[string]any{
		"iam_http_request_method": http.MethodPost,
		"iam_request_url":         base64.StdEncoding.EncodeToString([]byte(url)),
		"iam_request_body":        base64.StdEncoding.EncodeToString([]byte(body)),
		"iam_request_headers":     base64.StdEncoding.EncodeToString(headers),
	}, nil
}

// Job is a GitLab CI job, as its ID token tells of it:
// https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload.
type Job struct {
	// Issuer is the URL of the GitLab, Audience what the token is for.
	Issuer, Audience string
	Project, Branch  string
}

// Token is the job's ID token. claims take the place of the usual ones.
func (j Job) Token(key *rsa.PrivateKey, claims map[string]any) (string, error) {
	now := time.Now()
	all := map[string]any{
		"iss": j.Issuer, "aud": j.Audience, "sub": "project_path:" + j.Project + ":ref_type:branch:ref:" + j.Branch,
		"project_path": j.Project, "ref_type": "branch", "ref": j.Branch, "ref_protected": "true",
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
	maps.Copy(all, claims)
	return Sign(key, all)
}

// Sign makes a JWT, RS256.
func Sign(key *rsa.PrivateKey, claims map[string]any) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}
