package awscli

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

var operator = sts.Identity{
	Account: "123456789012", ARN: "arn:aws:iam::123456789012:user/sandbox-operator", UserID: "AIDAOPERATOR",
}

const secret = "operator-secret"

func credentials(id string) (sts.Credential, bool) {
	return sts.Credential{Secret: secret, Identity: operator}, id == "AKIAOPERATOR"
}

// environment is enough for every command, with nothing of the machine's own.
func environment(t *testing.T) map[string]string {
	return map[string]string{
		"HOME": t.TempDir(), "AWS_REGION": "eu-central-1",
		"AWS_ACCESS_KEY_ID": "AKIAOPERATOR", "AWS_SECRET_ACCESS_KEY": secret,
	}
}

func startSTS(t *testing.T) *httptest.Server {
	server := httptest.NewServer(&sts.Server{Credentials: credentials, Log: slog.New(slog.DiscardHandler)})
	t.Cleanup(server.Close)
	return server
}

func run(env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	command := &Command{Getenv: func(name string) string { return env[name] }, Stdout: &out, Stderr: &errs}
	code = command.Run(context.Background(), args)
	return code, out.String(), errs.String()
}

// @pulumi/eks takes the text before the first blank, drops "aws-cli/" and wants
// a version of at least 2.7.0.
func TestVersionSatisfiesTheComponent(t *testing.T) {
	code, stdout, _ := run(nil, "--version")
	require.Zero(t, code)
	require.Contains(t, stdout, "strongroom-sandbox-stand-in")
	version := regexp.MustCompile(`^aws-cli/(\d+)\.(\d+)\.(\d+) `).FindStringSubmatch(stdout)
	require.NotNil(t, version, stdout)
	require.Equal(t, "2", version[1])
	minor, err := strconv.Atoi(version[2])
	require.NoError(t, err)
	require.GreaterOrEqual(t, minor, 7)
}

type execCredential struct {
	Kind, APIVersion string
	Status           struct {
		ExpirationTimestamp time.Time
		Token               string
	}
}

func TestGetToken(t *testing.T) {
	verifier := &sts.TokenVerifier{Credentials: credentials, Endpoint: "127.0.0.1:4566"}
	for name, test := range map[string]struct {
		env     map[string]string
		args    []string
		version string
	}{
		"as the component calls it": {
			map[string]string{"KUBERNETES_EXEC_INFO": `{"apiVersion": "client.authentication.k8s.io/v1beta1"}`},
			[]string{"--output", "json"}, "client.authentication.k8s.io/v1beta1",
		},
		"v1": {
			map[string]string{"KUBERNETES_EXEC_INFO": `{"apiVersion": "client.authentication.k8s.io/v1","kind":"ExecCredential"}`},
			nil, "client.authentication.k8s.io/v1",
		},
		"no exec info":        {nil, []string{"--region=us-east-1"}, "client.authentication.k8s.io/v1beta1"},
		"the sandbox's STS":   {map[string]string{"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:4566"}, nil, "client.authentication.k8s.io/v1beta1"},
		"endpoint with slash": {map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, nil, "client.authentication.k8s.io/v1beta1"},
	} {
		t.Run(name, func(t *testing.T) {
			env := environment(t)
			for name, value := range test.env {
				env[name] = value
			}
			code, stdout, stderr := run(env, append([]string{"eks", "get-token", "--cluster-name", "tooling"}, test.args...)...)
			require.Zero(t, code, stderr)
			var answer execCredential
			require.NoError(t, json.Unmarshal([]byte(stdout), &answer))
			require.Equal(t, "ExecCredential", answer.Kind)
			require.Equal(t, test.version, answer.APIVersion)
			require.WithinDuration(t, time.Now().Add(14*time.Minute), answer.Status.ExpirationTimestamp, time.Minute)
			identity, _, err := verifier.Verify(answer.Status.Token, "tooling")
			require.NoError(t, err)
			require.Equal(t, operator, identity)
		})
	}
}

func TestCredentialsFromSharedFiles(t *testing.T) {
	dir := t.TempDir()
	server := startSTS(t)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	env := map[string]string{
		"HOME":                        dir,
		"AWS_PROFILE":                 "sandbox-operator",
		"AWS_SHARED_CREDENTIALS_FILE": write("credentials", "# simulated\n[sandbox-operator]\naws_access_key_id = AKIAOPERATOR\naws_secret_access_key="+secret+"\n"),
		"AWS_CONFIG_FILE":             write("config", "[profile  sandbox-operator]\nregion = eu-central-1\nendpoint_url = "+server.URL+"\n"),
	}
	code, stdout, stderr := run(env, "sts", "get-caller-identity", "--output", "json")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, operator.ARN)

	// A profile on the command line goes before keys in the environment.
	env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"] = "AKIANOBODY", "x"
	code, _, stderr = run(env, "sts", "get-caller-identity")
	require.NotZero(t, code)
	require.Contains(t, stderr, "InvalidClientTokenId")
	code, _, stderr = run(env, "sts", "get-caller-identity", "--profile", "sandbox-operator")
	require.Zero(t, code, stderr)
}

func TestGetCallerIdentity(t *testing.T) {
	server := startSTS(t)
	env := environment(t)
	env["AWS_ENDPOINT_URL_STS"] = server.URL
	code, stdout, stderr := run(env, "sts", "get-caller-identity")
	require.Zero(t, code, stderr)
	require.JSONEq(t, `{"UserId":"AIDAOPERATOR","Account":"123456789012","Arn":"`+operator.ARN+`"}`, stdout)
}

func TestRefused(t *testing.T) {
	html := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	t.Cleanup(html.Close)
	for name, test := range map[string]struct {
		env  map[string]string
		args []string
		code int
		says string
	}{
		"nothing":                 {nil, nil, exitUsage, "not the AWS CLI"},
		"another service":         {nil, []string{"s3", "ls"}, exitUsage, "aws s3 ls: not known here"},
		"another command":         {nil, []string{"eks", "list-clusters"}, exitUsage, "not known here"},
		"unknown option":          {nil, []string{"eks", "get-token", "--cluster-name", "a", "--query", "x"}, exitUsage, "--query"},
		"option without value":    {nil, []string{"eks", "get-token", "--cluster-name"}, exitUsage, "--cluster-name: expected one argument"},
		"no cluster":              {nil, []string{"eks", "get-token"}, exitUsage, "--cluster-name"},
		"a role":                  {nil, []string{"eks", "get-token", "--cluster-name", "a", "--role", "arn"}, exitUsage, "cannot assume roles"},
		"output as text":          {nil, []string{"sts", "get-caller-identity", "--output", "text"}, exitUsage, "only json"},
		"no region":               {map[string]string{"AWS_REGION": ""}, []string{"eks", "get-token", "--cluster-name", "a"}, exitConfiguration, "region"},
		"no credentials":          {map[string]string{"AWS_ACCESS_KEY_ID": ""}, []string{"eks", "get-token", "--cluster-name", "a"}, exitConfiguration, "unable to locate credentials"},
		"missing file":            {map[string]string{"AWS_CONFIG_FILE": "/does/not/exist"}, []string{"eks", "get-token", "--cluster-name", "a"}, exitConfiguration, "AWS_CONFIG_FILE"},
		"the cloud":               {nil, []string{"sts", "get-caller-identity"}, exitConfiguration, "not on loopback"},
		"nobody there":            {map[string]string{"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, []string{"sts", "get-caller-identity"}, exitService, "127.0.0.1:1"},
		"something else there":    {map[string]string{"AWS_ENDPOINT_URL": html.URL}, []string{"sts", "get-caller-identity"}, exitService, "not XML"},
		"endpoint without a host": {map[string]string{"AWS_ENDPOINT_URL": "sts"}, []string{"eks", "get-token", "--cluster-name", "a"}, exitConfiguration, `"sts"`},
	} {
		t.Run(name, func(t *testing.T) {
			env := environment(t)
			for name, value := range test.env {
				env[name] = value
			}
			code, stdout, stderr := run(env, test.args...)
			require.Equal(t, test.code, code, stderr)
			require.Empty(t, stdout)
			require.Contains(t, stderr, test.says)
			require.True(t, strings.HasPrefix(stderr, "aws (strongroom sandbox stand-in): "))
			require.NotContains(t, stderr, secret)
		})
	}
}
