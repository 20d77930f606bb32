// Package awsapi sends the few requests to AWS that strongroom makes itself,
// outside of Pulumi: objects of S3, a Client VPN endpoint's revocation list, and
// Vault's recovery secret. It signs them with the SDK's signer; the SDK's clients of
// these services would take longer to compile than the rest of the command line.
package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

// Session is who asks, where.
type Session struct {
	// Region such as "eu-central-1".
	Region      string
	Credentials aws.CredentialsProvider
	// Endpoints by service ("s3", "ec2") in place of AWS's own; "" is for the
	// services that are not named.
	Endpoints map[string]string
	// Client sends; http.DefaultClient when nil.
	Client *http.Client
	// Now is the clock; time.Now when nil.
	Now func() time.Time

	wait func(ctx context.Context, d time.Duration) error
}

// Load finds credentials as the AWS CLI does: in the environment, the shared files
// (SSO and assumed roles included), a web identity, or the machine's role. A value
// in env, where env is not nil, goes before the process' environment.
func Load(ctx context.Context, region string, env func(name string) string) (*Session, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(region)}
	if file := env("AWS_SHARED_CREDENTIALS_FILE"); file != "" {
		options = append(options, config.WithSharedCredentialsFiles([]string{file}))
	}
	if file := env("AWS_CONFIG_FILE"); file != "" {
		options = append(options, config.WithSharedConfigFiles([]string{file}))
	}
	loaded, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("find credentials for AWS: %w", err)
	}
	if loaded.Region == "" {
		return nil, errors.New("the AWS region is not known: set AWS_REGION")
	}
	s := &Session{Region: loaded.Region, Credentials: loaded.Credentials, Endpoints: map[string]string{}}
	for service, variable := range map[string]string{
		"": "AWS_ENDPOINT_URL", "s3": "AWS_ENDPOINT_URL_S3", "ec2": "AWS_ENDPOINT_URL_EC2",
		"secretsmanager": "AWS_ENDPOINT_URL_SECRETS_MANAGER",
	} {
		if text := env(variable); text != "" {
			u, err := url.Parse(text)
			if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return nil, fmt.Errorf("%s is %q: a URL such as \"https://vpce-1a2b.s3.eu-central-1.vpce.amazonaws.com\" is expected", variable, text)
			}
			s.Endpoints[service] = strings.TrimSuffix(text, "/")
		}
	}
	if s.Endpoints[""] == "" && loaded.BaseEndpoint != nil {
		s.Endpoints[""] = strings.TrimSuffix(*loaded.BaseEndpoint, "/")
	}
	return s, nil
}

// override is the endpoint that replaces AWS's own for a service.
func (s *Session) override(service string) (string, bool) {
	for _, name := range []string{service, ""} {
		if text := s.Endpoints[name]; text != "" {
			return text, true
		}
	}
	return "", false
}

// suffix is the domain of the region's partition.
// https://docs.aws.amazon.com/general/latest/gr/rande.html
func (s *Session) suffix() string {
	if strings.HasPrefix(s.Region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
