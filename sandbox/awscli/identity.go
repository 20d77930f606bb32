package awscli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const requestTimeout = 10 * time.Second

// getCallerIdentity asks the simulated STS. It refuses every other endpoint:
// the stand-in never talks to anything but loopback.
func (c *Command) getCallerIdentity(ctx context.Context, options map[string]string) int {
	if err := allow(options); err != nil {
		return c.fail(exitUsage, err)
	}
	session, err := c.session(options)
	if err != nil {
		return c.fail(exitConfiguration, err)
	}
	if err := loopback(session.endpoint); err != nil {
		return c.fail(exitConfiguration, err)
	}
	identity, err := session.callerIdentity(ctx, c.now())
	if err != nil {
		return c.fail(exitService, fmt.Errorf("GetCallerIdentity at %s: %w", session.endpoint, err))
	}
	return c.printJSON(identity)
}

type identity struct {
	UserID  string `json:"UserId"  xml:"UserId"`
	Account string `json:"Account" xml:"Account"`
	Arn     string `json:"Arn"     xml:"Arn"`
}

func (s session) callerIdentity(ctx context.Context, now time.Time) (*identity, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	body := url.Values{"Action": {"GetCallerIdentity"}, "Version": {"2011-06-15"}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.endpoint, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	hash := sha256.Sum256([]byte(body))
	if err := signer.NewSigner().SignHTTP(ctx, s.credentials, r, hex.EncodeToString(hash[:]), "sts", s.region, now); err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	var answer struct {
		Identity identity `xml:"GetCallerIdentityResult"`
		Error    struct {
			Code    string `xml:"Code"`
			Message string `xml:"Message"`
		} `xml:"Error"`
	}
	if err := xml.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("%s: the answer is not XML: %w", response.Status, err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Error.Code, answer.Error.Message)
	}
	return &answer.Identity, nil
}

func loopback(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil {
		return fmt.Errorf("sts endpoint %q is not a URL", endpoint)
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("sts endpoint %q is not on loopback: set AWS_ENDPOINT_URL_STS to the sandbox's (`strongroom sandbox env` prints it)", endpoint)
}
