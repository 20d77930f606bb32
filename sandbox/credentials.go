package sandbox

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Profiles in the sandbox's AWS credentials file.
const (
	// OperatorProfile runs the stacks; it is the one that nobody has to name.
	OperatorProfile = "default"
	// StrangerProfile has valid keys and no access to any cluster.
	StrangerProfile = "stranger"
	// BackupProfile is a session of an IAM role that logs in to Vault.
	BackupProfile = "backup"
)

// signingRegion is the region of requests for which nobody names one.
const signingRegion = "us-east-1"

// writeCredentials writes the simulated account's keys where the AWS CLI and
// SDKs look for them. The keys are worth nothing outside of this sandbox.
func (s *Sandbox) writeCredentials(identities []account.Identity) error {
	profiles := map[string]string{account.OperatorARN: OperatorProfile, account.StrangerARN: StrangerProfile, account.BackupARN: BackupProfile}
	var text strings.Builder
	text.WriteString("# of the simulated AWS account; written by strongroom\n")
	for _, identity := range identities {
		profile, known := profiles[identity.ARN]
		if !known {
			continue
		}
		fmt.Fprintf(&text, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", profile, identity.AccessKeyID, identity.SecretAccessKey)
	}
	if err := files.Replace(s.credentialsFile(), []byte(text.String()), files.Private); err != nil {
		return err
	}
	// A file of our own, so that the person's is not read. The region is only for
	// signing, the stacks name their own; kubeconfigs of EKS do not.
	config := fmt.Sprintf("# written by strongroom\n[default]\nregion = %[2]s\n[profile %[1]s]\nregion = %[2]s\n", StrangerProfile, signingRegion)
	return files.Replace(s.awsConfigFile(), []byte(config), files.Private)
}

func (s *Sandbox) credentialsFile() string { return s.path("aws", "credentials") }
func (s *Sandbox) awsConfigFile() string   { return s.path("aws", "config") }

// ForeignVariables are what a person may have set for the cloud and must not
// be set in the sandbox: each would take precedence over what Env says.
var ForeignVariables = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
	"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN",
	// The EKS component would write it into the kubeconfig.
	"AWS_PROFILE",
	"PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE",
	// Nothing here is behind a proxy, and the EKS component asks it even for
	// addresses on this machine.
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
}

// Env is the environment in which the engine, its plugins, kubectl and aws work
// on this sandbox and on nothing else, once the ForeignVariables are unset. The
// sandbox must be up.
func (s *Sandbox) Env() (map[string]string, error) {
	connection, err := s.connection()
	if err != nil {
		return nil, err
	}
	env := map[string]string{
		DirVariable: s.Dir,
		"PATH":      s.BinDir() + string(filepath.ListSeparator) + os.Getenv("PATH"),

		"PULUMI_BACKEND_URL":            s.Backend(),
		"PULUMI_CONFIG_PASSPHRASE_FILE": s.PassphraseFile(),
		"PULUMI_HOME":                   s.path("pulumi-home"),
		"PULUMI_SKIP_UPDATE_CHECK":      "true",
		// What is not here cannot be had, and should not be asked for.
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
		"PULUMI_IGNORE_AMBIENT_PLUGINS":               "false",

		"AWS_SHARED_CREDENTIALS_FILE": s.credentialsFile(),
		"AWS_CONFIG_FILE":             s.awsConfigFile(),
		// Every service, so that no call leaves this machine: those that the
		// simulated account does not have answer with an error that says so.
		"AWS_ENDPOINT_URL":          connection.URL,
		"AWS_ENDPOINT_URL_STS":      connection.URL,
		"AWS_EC2_METADATA_DISABLED": "true",
	}
	return env, nil
}

// StrangerEnv is Env with the keys of a principal that no cluster knows.
func (s *Sandbox) StrangerEnv() (map[string]string, error) {
	env, err := s.Env()
	if err != nil {
		return nil, err
	}
	env["AWS_PROFILE"] = StrangerProfile
	return env, nil
}
