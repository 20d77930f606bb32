package awscli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/uuid"
)

// secrets does what Vault's first start (gitops/, store.sh) asks of Secrets
// Manager, with the options that it uses.
func (c *Command) secrets(ctx context.Context, operation string, options map[string]string) int {
	names := map[string][]string{
		"GetSecretValue": {"secret-id", "version-stage", "query"},
		"PutSecretValue": {"secret-id", "secret-string", "version-stages"},
		"DescribeSecret": {"secret-id"},
	}[operation]
	if err := allow(options, names...); err != nil {
		return c.fail(exitUsage, err)
	}
	if options["secret-id"] == "" {
		return c.fail(exitUsage, errors.New("the following arguments are required: --secret-id"))
	}
	request := map[string]any{"SecretId": options["secret-id"]}
	if stage := options["version-stage"]; stage != "" {
		request["VersionStage"] = stage
	}
	if operation == "PutSecretValue" {
		value, err := fileOrText(options["secret-string"])
		if err != nil {
			return c.fail(exitUsage, err)
		}
		request["SecretString"], request["ClientRequestToken"] = value, uuid.NewString()
		if stages := strings.Fields(options["version-stages"]); len(stages) > 0 {
			request["VersionStages"] = stages
		}
	}
	session, err := c.session(options)
	if err != nil {
		return c.fail(exitConfiguration, err)
	}
	session.endpoint = first(options["endpoint-url"], c.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"), c.Getenv("AWS_ENDPOINT_URL"))
	if err := loopback(session.endpoint); err != nil {
		return c.fail(exitConfiguration, fmt.Errorf("secrets manager: %w", err))
	}
	answer, err := session.json(ctx, "secretsmanager", "secretsmanager."+operation, request, c.now())
	if err != nil {
		return c.fail(exitService, fmt.Errorf("an error occurred %w", err))
	}
	switch query := options["query"]; {
	case query == "" && options["output"] != "text":
		return c.printJSON(answer)
	case query == "SecretString" && options["output"] == "text":
		text, _ := answer[query].(string)
		return c.print(text + "\n")
	}
	return c.fail(exitUsage, errors.New("only --query SecretString --output text is known here"))
}

// fileOrText reads file://<path> as the AWS CLI does.
func fileOrText(value string) (string, error) {
	path, isFile := strings.CutPrefix(value, "file://")
	if !isFile {
		return value, nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("error parsing parameter --secret-string: %w", err)
	}
	return string(data), nil
}

// json makes one call of AWS's JSON protocol.
func (s session) json(ctx context.Context, service, target string, input any, now time.Time) (map[string]any, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body, err := json.Marshal(input)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	hash := sha256.Sum256(body)
	if err := signer.NewSigner().SignHTTP(ctx, s.credentials, r, hex.EncodeToString(hash[:]), service, s.region, now); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	var answer map[string]any
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("(%s) when calling %s: the answer is not JSON: %w", response.Status, target, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("(%v) when calling the %s operation: %v", answer["__type"], target[strings.LastIndex(target, ".")+1:], answer["message"])
	}
	return answer, nil
}

// containerCredentials asks the EKS Pod Identity Agent, where the environment
// says that there is one.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (c *Command) containerCredentials() (aws.Credentials, bool, error) {
	uri := c.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if uri == "" {
		return aws.Credentials{}, false, nil
	}
	if err := loopback(uri); err != nil {
		return aws.Credentials{}, true, fmt.Errorf("AWS_CONTAINER_CREDENTIALS_FULL_URI: %w", err)
	}
	token, err := os.ReadFile(c.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
	if err != nil {
		return aws.Credentials{}, true, fmt.Errorf("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return aws.Credentials{}, true, err
	}
	r.Header.Set("Authorization", strings.TrimSpace(string(token)))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return aws.Credentials{}, true, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return aws.Credentials{}, true, err
	}
	var answer struct {
		AccessKeyID     string `json:"AccessKeyId"`
		SecretAccessKey string `json:"SecretAccessKey"`
		Token           string `json:"Token"`
	}
	if response.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil {
		return aws.Credentials{}, true, fmt.Errorf("%s: %s: %s", uri, response.Status, strings.TrimSpace(string(text)))
	}
	return aws.Credentials{AccessKeyID: answer.AccessKeyID, SecretAccessKey: answer.SecretAccessKey, SessionToken: answer.Token}, true, nil
}
