package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

// ErrNoValue: the secret is there and has no value with that label.
var ErrNoValue = errors.New("the secret has no such value")

// SecretValue returns the text of a secret, by name or ARN, that has a label such
// as "AWSCURRENT"; the error wraps [ErrNoValue] where there is none.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
func (s *Session) SecretValue(ctx context.Context, secret, label string) (string, error) {
	var out struct {
		SecretString *string `json:"SecretString"`
	}
	err := s.secretsManager(ctx, "GetSecretValue", map[string]string{"SecretId": secret, "VersionStage": label}, &out)
	var known *Error
	if errors.As(err, &known) && known.Code == "ResourceNotFoundException" {
		// A secret that is not there at all says the same.
		if described := s.secretsManager(ctx, "DescribeSecret", map[string]string{"SecretId": secret}, nil); described != nil {
			return "", described
		}
		return "", fmt.Errorf("%w: %s, label %s", ErrNoValue, secret, label)
	}
	if err != nil {
		return "", err
	}
	if out.SecretString == nil {
		return "", fmt.Errorf("secret %s: expected a text, it holds bytes", secret)
	}
	return *out.SecretString, nil
}

// PutSecretValue makes a text the secret's AWSCURRENT. The version before becomes
// AWSPREVIOUS.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
func (s *Session) PutSecretValue(ctx context.Context, secret, text string) error {
	// Secrets Manager tells by the token that a request was sent twice.
	return s.secretsManager(ctx, "PutSecretValue", map[string]string{
		"SecretId": secret, "SecretString": text, "ClientRequestToken": uuid.NewString(),
	}, nil)
}

func (s *Session) secretsManager(ctx context.Context, action string, in map[string]string, out any) error {
	const service = "secretsmanager"
	endpoint, ok := s.override(service)
	if !ok {
		endpoint = "https://" + service + "." + s.Region + "." + s.suffix()
	}
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	a, err := s.send(ctx, request{
		service: service, method: http.MethodPost, url: endpoint + "/", body: body,
		header: http.Header{"Content-Type": {"application/x-amz-json-1.1"}, "X-Amz-Target": {service + "." + action}},
	})
	if err != nil {
		return fmt.Errorf("%s of %s: %w", action, in["SecretId"], err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, out); err != nil {
		// Not with the error of encoding/json: it could quote the value.
		return fmt.Errorf("%s of %s: the answer is not that of Secrets Manager", action, in["SecretId"])
	}
	return nil
}
