// Package awscli stands in for the `aws` command on machines that have none. It
// does what the sandbox's kubeconfigs and @pulumi/eks need, and says what it is
// for everything else.
package awscli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// Version is the first line of `aws --version`. @pulumi/eks reads the part
// before the first blank and wants at least 2.7.0 (its dependencies.js).
const Version = "aws-cli/2.15.0 strongroom-sandbox-stand-in (not the AWS CLI: knows only get-token, get-caller-identity and the values of secrets)"

const whatItIs = `this "aws" is the stand-in of the strongroom sandbox, not the AWS CLI. It knows
  aws --version
  aws eks get-token --cluster-name <name> [--region <region>]
  aws sts get-caller-identity [--region <region>]
  aws secretsmanager get-secret-value --secret-id <id> [--version-stage <label>] [--query SecretString --output text]
  aws secretsmanager put-secret-value --secret-id <id> --secret-string <text or file://path> [--version-stages <labels>]
  aws secretsmanager describe-secret --secret-id <id>
and reads credentials from the environment, EKS Pod Identity or a shared credentials file. For anything else install the AWS CLI:
https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html`

// exit codes of the AWS CLI.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
const (
	exitOK            = 0
	exitUsage         = 252
	exitConfiguration = 253
	exitService       = 254
)

// Command is one call of the stand-in.
type Command struct {
	// Getenv reads the environment, as os.Getenv.
	Getenv         func(string) string
	Stdout, Stderr io.Writer
	// Now is the clock; time.Now when nil.
	Now func() time.Time
}

// Run does what args (without the program's name) say and returns the exit code.
func (c *Command) Run(ctx context.Context, args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		return c.print(Version + "\n")
	}
	positional, options, err := parse(args)
	if err != nil {
		return c.fail(exitUsage, fmt.Errorf("%w\n\n%s", err, whatItIs))
	}
	switch strings.Join(positional, " ") {
	case "eks get-token":
		return c.getToken(ctx, options)
	case "sts get-caller-identity":
		return c.getCallerIdentity(ctx, options)
	case "secretsmanager get-secret-value":
		return c.secrets(ctx, "GetSecretValue", options)
	case "secretsmanager put-secret-value":
		return c.secrets(ctx, "PutSecretValue", options)
	case "secretsmanager describe-secret":
		return c.secrets(ctx, "DescribeSecret", options)
	default:
		return c.fail(exitUsage, fmt.Errorf("aws %s: not known here\n\n%s", strings.Join(positional, " "), whatItIs))
	}
}

// getToken prints the ExecCredential that client-go reads.
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
func (c *Command) getToken(ctx context.Context, options map[string]string) int {
	if err := allow(options, "cluster-name"); err != nil {
		return c.fail(exitUsage, err)
	}
	cluster := options["cluster-name"]
	if cluster == "" {
		return c.fail(exitUsage, fmt.Errorf("the following arguments are required: --cluster-name"))
	}
	session, err := c.session(options)
	if err != nil {
		return c.fail(exitConfiguration, err)
	}
	now := c.now()
	token, err := sts.NewToken(ctx, session.credentials, session.region, session.endpoint, cluster, now)
	if err != nil {
		return c.fail(exitConfiguration, err)
	}
	return c.printJSON(map[string]any{
		"kind":       "ExecCredential",
		"apiVersion": execVersion(c.Getenv("KUBERNETES_EXEC_INFO")),
		"spec":       map[string]any{},
		"status": map[string]any{
			"expirationTimestamp": now.Add(sts.TokenLife).UTC().Format(time.RFC3339),
			"token":               token,
		},
	})
}

// execVersion answers in the version that the client asks for, and in v1beta1
// where it does not say, as the AWS CLI does.
func execVersion(info string) string {
	const group = "client.authentication.k8s.io/"
	var asked struct {
		APIVersion string `json:"apiVersion"`
	}
	if err := json.Unmarshal([]byte(info), &asked); err == nil && asked.APIVersion == group+"v1" {
		return group + "v1"
	}
	return group + "v1beta1"
}

func (c *Command) now() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *Command) printJSON(value any) int {
	text, err := json.MarshalIndent(value, "", "    ")
	if err != nil {
		return c.fail(exitService, err)
	}
	return c.print(string(text) + "\n")
}

func (c *Command) print(text string) int {
	if _, err := io.WriteString(c.Stdout, text); err != nil {
		return c.fail(exitService, err)
	}
	return exitOK
}

func (c *Command) fail(code int, err error) int {
	// Nothing is left to do where even the error cannot be written.
	_, _ = fmt.Fprintf(c.Stderr, "aws (strongroom sandbox stand-in): %v\n", err)
	return code
}
