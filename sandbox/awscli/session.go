package awscli

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// session is who calls, from which region and where STS is.
type session struct {
	credentials aws.Credentials
	region      string
	endpoint    string
}

// session looks in the options, the environment and the shared files, in the
// order of the AWS CLI.
// https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-files.html
func (c *Command) session(options map[string]string) (session, error) {
	profile := first(options["profile"], c.Getenv("AWS_PROFILE"), "default")
	credentialsFile, err := c.sharedFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")
	if err != nil {
		return session{}, err
	}
	configFile, err := c.sharedFile("AWS_CONFIG_FILE", "config")
	if err != nil {
		return session{}, err
	}
	section := "profile " + profile
	if profile == "default" {
		section = profile
	}
	config, secrets := configFile[section], credentialsFile[profile]

	s := session{region: first(options["region"], c.Getenv("AWS_REGION"), c.Getenv("AWS_DEFAULT_REGION"), config["region"], secrets["region"])}
	if s.region == "" {
		return session{}, errors.New("you must specify a region: set AWS_REGION or give --region")
	}
	s.endpoint = first(options["endpoint-url"], c.Getenv("AWS_ENDPOINT_URL_STS"), c.Getenv("AWS_ENDPOINT_URL"),
		config["endpoint_url"], "https://sts."+s.region+".amazonaws.com")

	s.credentials = aws.Credentials{
		AccessKeyID:     c.Getenv("AWS_ACCESS_KEY_ID"),
		SecretAccessKey: c.Getenv("AWS_SECRET_ACCESS_KEY"),
		SessionToken:    c.Getenv("AWS_SESSION_TOKEN"),
	}
	if s.credentials.AccessKeyID == "" && options["profile"] == "" {
		asked, isPod, err := c.containerCredentials()
		if err != nil {
			return session{}, err
		}
		if isPod {
			s.credentials = asked
		}
	}
	// A profile that is named on the command line goes before keys in the
	// environment; one in AWS_PROFILE does not.
	if options["profile"] != "" || s.credentials.AccessKeyID == "" {
		for _, keys := range []map[string]string{secrets, config} {
			s.credentials = aws.Credentials{
				AccessKeyID: keys["aws_access_key_id"], SecretAccessKey: keys["aws_secret_access_key"], SessionToken: keys["aws_session_token"],
			}
			if s.credentials.AccessKeyID != "" {
				break
			}
		}
	}
	if s.credentials.AccessKeyID == "" || s.credentials.SecretAccessKey == "" {
		return session{}, fmt.Errorf("unable to locate credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "+
			"or AWS_SHARED_CREDENTIALS_FILE with a profile %q; `strongroom sandbox env` prints what the sandbox uses", profile)
	}
	return s, nil
}

// sharedFile reads the file that variable names, or ~/.aws/<name>. A file that
// was not named need not exist.
func (c *Command) sharedFile(variable, name string) (map[string]map[string]string, error) {
	path := c.Getenv(variable)
	named := path != ""
	if !named {
		path = filepath.Join(c.Getenv("HOME"), ".aws", name)
	}
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) && !named {
			return nil, nil
		}
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	defer func() { _ = f.Close() }() // only read from
	sections := map[string]map[string]string{}
	section := ""
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			return sections, lines.Err()
		}
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[' && line[len(line)-1] == ']':
			section = strings.Join(strings.Fields(line[1:len(line)-1]), " ")
			if sections[section] == nil {
				sections[section] = map[string]string{}
			}
		default:
			key, value, found := strings.Cut(line, "=")
			if found && sections[section] != nil {
				sections[section][strings.TrimSpace(key)] = strings.TrimSpace(value)
			}
		}
	}
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
