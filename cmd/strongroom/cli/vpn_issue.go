package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/strongroom-platform/strongroom/vpnca"
)

type vpnIssueFlags struct {
	vpnFlags
	out, request, passphraseFile string
	passphrase, revokeEarlier    bool
	days                         int
}

func (a *app) addVPNIssueFlags(cmd *cobra.Command, f *vpnIssueFlags) {
	a.addVPNFlags(cmd, &f.vpnFlags, true)
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "the profile to write (default: <name>.ovpn here)")
	cmd.Flags().IntVar(&f.days, "days", int(vpnca.DefaultValidity/(24*time.Hour)), "how many days the certificate is valid")
	cmd.Flags().StringVar(&f.request, "request", "", "certify the key of this request, made by `strongroom vpn request` on the person's machine")
	cmd.Flags().BoolVar(&f.passphrase, "passphrase", false, "encrypt the key with a passphrase, asked at the terminal")
	cmd.Flags().StringVar(&f.passphraseFile, "passphrase-file", "", "encrypt the key with the passphrase on the first line of this file")
}

func (a *app) vpnIssueCommand() *cobra.Command {
	var f vpnIssueFlags
	cmd := &cobra.Command{
		Use:   "issue <name>",
		Short: "Issue a certificate to a person and write the profile",
		Long: `Make a key on this machine, have it certified by the VPN's CA, and write a profile
that a stock OpenVPN client takes. Whoever has the file has the access: give it a
passphrase, or let the person make the key with ` + "`strongroom vpn request`" + `.

A run that was interrupted is finished by the same command.` + vpnLong,
		Example: `  strongroom vpn issue alice --passphrase
  strongroom vpn issue alice@example.com --days 90 --out /media/usb/alice.ovpn

  # The key never leaves the person's machine
  strongroom vpn issue alice --request alice.csr`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error { return a.vpnIssue(cmd.Context(), args[0], f, false) },
	}
	a.addVPNIssueFlags(cmd, &f)
	return cmd
}

func (a *app) vpnRenewCommand() *cobra.Command {
	var f vpnIssueFlags
	cmd := &cobra.Command{
		Use:   "renew <name>",
		Short: "Issue the next certificate to a person who has one",
		Long: `Write a new profile, with a new key, for a person whose certificate runs out or has
run out. The earlier certificate stays valid until it runs out, so that the person
is not locked out before the new profile arrives; --revoke-earlier revokes it at
once. Nobody else is touched.` + vpnLong,
		Example: `  strongroom vpn renew alice --passphrase --out alice-2027.ovpn
  strongroom vpn renew alice --revoke-earlier --out alice-new.ovpn`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error { return a.vpnIssue(cmd.Context(), args[0], f, true) },
	}
	a.addVPNIssueFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.revokeEarlier, "revoke-earlier", false, "revoke the person's earlier certificates at once, which ends everybody's open sessions")
	return cmd
}

func (a *app) vpnIssue(parent context.Context, name string, f vpnIssueFlags, renew bool) error {
	if f.days < 1 {
		return usagef("--days %d: 1 or more is expected", f.days)
	}
	if f.request != "" && (f.passphrase || f.passphraseFile != "") {
		return usagef("--request: the passphrase of the key is given where the key is made: `strongroom vpn request %s --passphrase`", name)
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	v, err := a.openVPN(ctx, f.vpnFlags, true)
	if err != nil {
		return err
	}
	defer v.leave()
	e := vpnca.Enrolment{
		Name: name, File: f.out, Remote: v.remote, Validity: time.Duration(f.days) * 24 * time.Hour,
		Renew: renew, RevokeEarlier: f.revokeEarlier,
	}
	if e.File == "" {
		e.File = name + ".ovpn"
	}
	var entry *vpnca.Entry
	if f.request != "" {
		entry, err = a.certifyRequest(ctx, v, e, f.request)
	} else {
		if e.Passphrase, err = a.passphrase(f.passphrase, f.passphraseFile); err != nil {
			return err
		}
		entry, err = v.authority.Enrol(ctx, e)
	}
	if err != nil {
		return err
	}
	if f.revokeEarlier {
		if _, _, err := v.authority.Publish(ctx, v.endpoint); err != nil {
			return err
		}
	}
	if index, err := v.authority.Index(ctx); err == nil { // it is written already
		a.warn(v, index)
	}
	if f.json {
		return json.NewEncoder(a.out).Encode(map[string]any{"name": entry.Name, "serial": entry.Serial, "until": entry.Until, "profile": e.File})
	}
	return writeText(a.out, fmt.Sprintf("%s has certificate %s, valid until %s.\nThe profile is %s: whoever has it has the access. docs/vpn.md says how to hand it over.\n",
		entry.Name, entry.Serial, entry.Until.Format(time.DateOnly), e.File))
}

// certifyRequest writes a profile whose key stays where it was made.
func (a *app) certifyRequest(ctx context.Context, v *vpn, e vpnca.Enrolment, file string) (*vpnca.Entry, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--request: %w", err)
	}
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE REQUEST" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("--request: %s is not one certificate request in PEM form (-----BEGIN CERTIFICATE REQUEST-----)", file)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("--request: %s: %w", file, err)
	}
	if request.Subject.CommonName != e.Name {
		return nil, fmt.Errorf("--request: %s is of %q, not of %q: ask the person for the right one", file, request.Subject.CommonName, e.Name)
	}
	if _, err := os.Lstat(e.File); !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s: a profile is never written over another file: move it away, or choose another file with --out", vpnca.ErrExists, e.File)
	}
	sign := v.authority.Issue
	if e.Renew {
		sign = func(ctx context.Context, r *x509.CertificateRequest, d time.Duration) (*vpnca.Entry, error) {
			return v.authority.Renew(ctx, r, d, e.RevokeEarlier)
		}
	}
	entry, err := sign(ctx, request, e.Validity)
	if err != nil {
		return nil, err
	}
	text, err := vpnca.Profile{Remote: e.Remote, CA: v.authority.Certificate, Entry: entry, KeyFile: e.Name + ".key"}.Render()
	if err != nil {
		return nil, err
	}
	return entry, newFile(e.File, text)
}

func (a *app) vpnRequestCommand() *cobra.Command {
	var out, passphraseFile string
	var passphrase bool
	cmd := &cobra.Command{
		Use:   "request <name>",
		Short: "Make a key on this machine and the request to certify it",
		Long: `Make <name>.key, which stays on this machine, and <name>.csr, which goes to whoever
runs ` + "`strongroom vpn issue <name> --request <name>.csr`" + ` and sends <name>.ovpn back.
Put that beside the key. Neither file that travels is secret. No access to AWS, to
the stacks or to the CA is needed.`,
		Example: `  strongroom vpn request alice --passphrase`,
		Args:    oneName,
		RunE: func(_ *cobra.Command, args []string) error {
			secret, err := a.passphrase(passphrase, passphraseFile)
			if err != nil {
				return err
			}
			return a.vpnRequest(args[0], out, secret)
		},
	}
	cmd.Flags().StringVar(&out, "dir", ".", "the directory to write the two files to")
	cmd.Flags().BoolVar(&passphrase, "passphrase", false, "encrypt the key with a passphrase, asked at the terminal")
	cmd.Flags().StringVar(&passphraseFile, "passphrase-file", "", "encrypt the key with the passphrase on the first line of this file")
	return cmd
}

func (a *app) vpnRequest(name, dir string, passphrase []byte) error {
	keyFile, requestFile := filepath.Join(dir, name+".key"), filepath.Join(dir, name+".csr")
	for _, file := range []string{keyFile, requestFile} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s exists: it is never written over; move it away, or choose another directory with --dir", file)
		}
	}
	key, request, err := vpnca.NewKey(name)
	if err != nil {
		return err
	}
	text, err := vpnca.EncodeKey(key, passphrase)
	if err != nil {
		return err
	}
	if err := newFile(keyFile, text); err != nil {
		return err
	}
	if err := newFile(requestFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: request.Raw})); err != nil {
		return err
	}
	return writeText(a.out, fmt.Sprintf("Send %s to whoever runs the VPN; it is not secret.\n%s stays here: put the %s.ovpn that you get beside it.\n", requestFile, keyFile, name))
}

// newFile writes a file that must not exist, for its owner's eyes only.
func newFile(name string, data []byte) (err error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Sync()
}

// passphrase is asked twice at the terminal, or read from a file. It is never an
// argument, which others on the machine could see.
func (a *app) passphrase(ask bool, file string) ([]byte, error) {
	switch {
	case ask && file != "":
		return nil, usagef("--passphrase and --passphrase-file exclude each other")
	case file != "":
		secret, err := firstLine(file)
		if err != nil {
			return nil, fmt.Errorf("--passphrase-file: %w", err)
		}
		if len(secret) == 0 {
			return nil, fmt.Errorf("--passphrase-file: the first line of %s is empty", file)
		}
		return secret, vpnca.CheckPassphrase(secret)
	case !ask:
		return nil, nil
	}
	in, ok := a.in.(*os.File)
	if !ok || !a.asks {
		return nil, usagef("--passphrase: there is no terminal to ask at; use --passphrase-file")
	}
	first, err := a.hidden(in, "Passphrase for the key: ")
	if err != nil {
		return nil, err
	}
	if len(first) == 0 {
		return nil, errors.New("the passphrase is empty: leave --passphrase out for a key without one")
	}
	if err := vpnca.CheckPassphrase(first); err != nil {
		return nil, err
	}
	second, err := a.hidden(in, "Again: ")
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(first, second) {
		return nil, errors.New("the two passphrases differ: nothing was done")
	}
	return first, nil
}

func (a *app) hidden(in *os.File, prompt string) ([]byte, error) {
	if _, err := fmt.Fprint(a.err, prompt); err != nil {
		return nil, err
	}
	secret, err := term.ReadPassword(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("read the passphrase: %w", err)
	}
	_, err = fmt.Fprintln(a.err)
	return secret, err
}
