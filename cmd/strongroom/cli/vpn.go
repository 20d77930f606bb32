package cli

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/internal/awsapi"
	"github.com/strongroom-platform/strongroom/vpnca"
)

// The outputs of the stack with the VPN. The CA's key is not among them where the
// CA is held outside of the stack's state.
const (
	outputVPNEndpoint   = "vpnEndpointId"
	outputVPNHost       = "vpnEndpointDnsName"
	outputVPNServerName = "vpnServerName"
	outputVPNCA         = "vpnCaCertificate"
	outputVPNCAKey      = "vpnCaPrivateKey"
	outputVPNBucket     = "vpnBucket"
	outputRegion        = "region"
)

// vpnIndexKey is where the index lies in the bucket.
const vpnIndexKey = "vpn/index.json"

const vpnLong = `

The stack's outputs tell the endpoint, the CA and the bucket that keeps the index
of what was issued. Where the CA's key is not in the stack's state, --ca-key names
its file.` + whereLong

func (a *app) vpnCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "vpn",
		Short: "Let people into the VPN, and lock them out",
		Long: `Issue, renew and revoke the certificates with which people come into the Client
VPN, the only way in from outside. See docs/vpn.md.`,
		Example: `  strongroom vpn issue alice --passphrase
  strongroom vpn list
  strongroom vpn revoke alice --reason affiliationChanged`,
		Args: subcommands,
		RunE: showHelp,
	}
	cmd.AddCommand(a.vpnIssueCommand(), a.vpnRenewCommand(), a.vpnRequestCommand(), a.vpnRevokeCommand(),
		a.vpnListCommand(), a.vpnShowCommand(), a.vpnCRLCommand())
	return cmd
}

// vpnFlags choose the VPN.
type vpnFlags struct {
	placeFlags
	stack, index         string
	caKey, caKeyPassword string
	json                 bool
}

func (a *app) addVPNFlags(cmd *cobra.Command, f *vpnFlags, signs bool) {
	a.addPlaceFlags(cmd, &f.placeFlags)
	cmd.Flags().StringVar(&f.stack, "stack", "tooling", "the stack with the VPN")
	cmd.Flags().StringVar(&f.index, "index", "", "keep the index in this file instead of the stack's bucket")
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object, for machines")
	if signs {
		cmd.Flags().StringVar(&f.caKey, "ca-key", "", "the file with the CA's key, where it is not in the stack's state")
		cmd.Flags().StringVar(&f.caKeyPassword, "ca-key-passphrase-file", "", "the file with the passphrase of the CA's key")
	}
}

// vpn is the VPN of a stack.
type vpn struct {
	authority *vpnca.Authority
	endpoint  vpnca.Endpoint
	remote    vpnca.Remote
	leave     func()
}

// openVPN reads the stack's outputs. signs: the CA's key is needed.
func (a *app) openVPN(ctx context.Context, f vpnFlags, signs bool) (_ *vpn, err error) {
	p, o, err := a.openStack(ctx, f.placeFlags, f.stack, "with its VPN switched on (docs/vpn.md)")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			p.leave()
		}
	}()
	ca, err := o.text(outputVPNCA)
	if err != nil {
		return nil, err
	}
	v := &vpn{leave: p.leave, authority: &vpnca.Authority{By: a.who(), Now: a.now, Tell: a.tell}}
	if v.authority.Certificate, err = vpnca.ParseCertificate([]byte(ca)); err != nil {
		return nil, fmt.Errorf("output %q of stack %q: %w", outputVPNCA, f.stack, err)
	}
	if v.remote.Host, err = o.text(outputVPNHost); err != nil {
		return nil, err
	}
	if v.remote.ServerName, err = o.text(outputVPNServerName); err != nil {
		return nil, err
	}
	v.authority.ServerName = v.remote.ServerName
	id, err := o.text(outputVPNEndpoint)
	if err != nil {
		return nil, err
	}
	session, err := awsSession(ctx, a.getenv, p, o)
	if err != nil {
		return nil, err
	}
	v.endpoint = vpnEndpoint{session, id}
	if v.authority.Store, err = vpnStore(f, o, session); err != nil {
		return nil, err
	}
	if signs {
		if v.authority.Key, err = a.vpnCAKey(f, o); err != nil {
			return nil, err
		}
	}
	return v, v.authority.Check()
}

func vpnStore(f vpnFlags, o stackOutputs, session *awsapi.Session) (vpnca.Store, error) {
	if f.index != "" {
		return &vpnca.FileStore{Path: f.index}, nil
	}
	bucket, err := o.text(outputVPNBucket)
	if err != nil {
		return nil, err
	}
	return &vpnca.ObjectStore{Objects: vpnObjects{session}, Bucket: bucket, Key: vpnIndexKey}, nil
}

// vpnCAKey is the key from the file that was named, or from the stack's state.
func (a *app) vpnCAKey(f vpnFlags, o stackOutputs) (crypto.Signer, error) {
	if f.caKey == "" {
		text, err := o.text(outputVPNCAKey)
		if err != nil {
			return nil, fmt.Errorf("%w; where the CA's key is kept outside of the stack, give its file with --ca-key", err)
		}
		key, err := vpnca.DecodeKey([]byte(text), nil)
		if err != nil {
			return nil, fmt.Errorf("output %q of stack %q: %w", outputVPNCAKey, o.stack, err)
		}
		return key, nil
	}
	info, err := os.Stat(f.caKey)
	if err != nil {
		return nil, fmt.Errorf("--ca-key: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("--ca-key: %s can be read by others than you: run `chmod 600 %[1]s`, and think about who may have read it", f.caKey)
	}
	text, err := os.ReadFile(f.caKey)
	if err != nil {
		return nil, fmt.Errorf("--ca-key: %w", err)
	}
	var passphrase []byte
	if f.caKeyPassword != "" {
		if passphrase, err = firstLine(f.caKeyPassword); err != nil {
			return nil, fmt.Errorf("--ca-key-passphrase-file: %w", err)
		}
	}
	key, err := vpnca.DecodeKey(text, passphrase)
	if err != nil {
		return nil, fmt.Errorf("--ca-key: %s: %w", f.caKey, err)
	}
	return key, nil
}

// who says for the history who acts.
func (a *app) who() string {
	name := "somebody"
	for _, variable := range []string{"GITHUB_ACTOR", "GITLAB_USER_LOGIN", "SUDO_USER", "USER", "LOGNAME"} {
		if value := a.getenv(variable); value != "" {
			name = value
			break
		}
	}
	host, err := os.Hostname()
	if err != nil {
		return name
	}
	return name + "@" + host
}

// warn says what runs out soon.
func (a *app) warn(v *vpn, index *vpnca.Index) int {
	warnings := v.authority.Warnings(index, v.endpoint.ID())
	for _, w := range warnings {
		a.tell("warning: " + w)
	}
	return len(warnings)
}

// vpnEndpoint takes revocation lists through the EC2 API.
type vpnEndpoint struct {
	session *awsapi.Session
	id      string
}

func (e vpnEndpoint) ID() string { return e.id }

func (e vpnEndpoint) ImportCRL(ctx context.Context, pem string) error {
	return e.session.ImportClientVPNRevocationList(ctx, e.id, pem)
}

// vpnObjects says what S3 answers in vpnca's words.
type vpnObjects struct{ session *awsapi.Session }

func (o vpnObjects) GetObject(ctx context.Context, bucket, key string) ([]byte, string, error) {
	data, etag, err := o.session.GetObject(ctx, bucket, key)
	if errors.Is(err, awsapi.ErrNoObject) {
		err = fmt.Errorf("%w: %w", vpnca.ErrNoObject, err)
	}
	return data, etag, err
}

func (o vpnObjects) PutObject(ctx context.Context, bucket, key string, data []byte, etag string) error {
	err := o.session.PutObject(ctx, bucket, key, data, etag)
	if errors.Is(err, awsapi.ErrCondition) {
		err = fmt.Errorf("%w: %w", vpnca.ErrChanged, err)
	}
	return err
}

// firstLine of a file, without its end.
func firstLine(file string) ([]byte, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return []byte(strings.TrimSuffix(line, "\r")), nil
}

// oneName takes the name of a person.
func oneName(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s needs the name of one person, got %q", cmd.CommandPath(), args)
	}
	if err := vpnca.CheckName(args[0]); err != nil {
		return &usageError{err}
	}
	return nil
}
