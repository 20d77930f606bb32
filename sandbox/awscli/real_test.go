package awscli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// realCLI runs the machine's own AWS CLI with nothing but env.
func realCLI(t *testing.T, env map[string]string, args ...string) (string, error) {
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	variables := []string{"PATH=" + os.Getenv("PATH"), "AWS_EC2_METADATA_DISABLED=true"}
	for name, value := range env {
		variables = append(variables, name+"="+value)
	}
	version := exec.Command(path, "--version")
	version.Env = variables
	text, err := version.CombinedOutput()
	require.NoError(t, err, string(text))
	if strings.Contains(string(text), "stand-in") {
		t.Skip("the aws on PATH is the stand-in")
	}
	command := exec.Command(path, args...)
	command.Env = variables
	out, err := command.CombinedOutput()
	return string(out), err
}

// The real client and our checks must agree, or a machine with the AWS CLI
// could not use the sandbox's kubeconfigs.
func TestRealCLI(t *testing.T) {
	server := startSTS(t)
	host := strings.TrimPrefix(server.URL, "http://")
	verifier := &sts.TokenVerifier{Credentials: credentials, Endpoint: host}
	for name, endpoint := range map[string]string{"default endpoint": "", "the sandbox's STS": server.URL} {
		t.Run("get-token with "+name, func(t *testing.T) {
			env := environment(t)
			env["KUBERNETES_EXEC_INFO"] = `{"apiVersion": "client.authentication.k8s.io/v1beta1"}`
			// Version 1 of the CLI reads only this variable, version 2 both.
			env["AWS_DEFAULT_REGION"] = env["AWS_REGION"]
			if endpoint != "" {
				env["AWS_ENDPOINT_URL_STS"] = endpoint
			}
			out, err := realCLI(t, env, "eks", "get-token", "--cluster-name", "tooling", "--output", "json")
			require.NoError(t, err, out)
			var answer execCredential
			require.NoError(t, json.Unmarshal([]byte(out), &answer))
			identity, _, err := verifier.Verify(answer.Status.Token, "tooling")
			require.NoError(t, err)
			require.Equal(t, operator, identity)
			_, _, err = verifier.Verify(answer.Status.Token, "application")
			require.ErrorIs(t, err, sts.ErrToken)
		})
	}
	t.Run("get-caller-identity", func(t *testing.T) {
		env := environment(t)
		env["AWS_DEFAULT_REGION"] = env["AWS_REGION"]
		env["AWS_ENDPOINT_URL_STS"] = server.URL
		out, err := realCLI(t, env, "sts", "get-caller-identity", "--output", "json")
		require.NoError(t, err, out)
		require.Contains(t, out, operator.ARN)
	})
	t.Run("shared files", func(t *testing.T) {
		dir := t.TempDir()
		env := map[string]string{
			"HOME": dir, "AWS_PROFILE": "sandbox-operator",
			"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"), "AWS_CONFIG_FILE": filepath.Join(dir, "config"),
		}
		require.NoError(t, os.WriteFile(env["AWS_SHARED_CREDENTIALS_FILE"],
			[]byte("[sandbox-operator]\naws_access_key_id = AKIAOPERATOR\naws_secret_access_key = "+secret+"\n"), 0o600))
		require.NoError(t, os.WriteFile(env["AWS_CONFIG_FILE"],
			[]byte("[profile sandbox-operator]\nregion = eu-central-1\nendpoint_url = "+server.URL+"\n"), 0o600))
		out, err := realCLI(t, env, "sts", "get-caller-identity")
		require.NoError(t, err, out)
		require.Contains(t, out, operator.ARN)
		// Everything else goes to the simulated endpoint too and is refused there.
		out, err = realCLI(t, env, "ec2", "describe-vpcs")
		require.Error(t, err)
		require.NotContains(t, out, "amazonaws.com")
	})
}
