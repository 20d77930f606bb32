package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/vpnca"
)

func (a *app) vpnListCommand() *cobra.Command {
	var f vpnFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List who has a certificate",
		Long: `List the certificates: whose, which, until when, and what they are worth now. Only
the valid ones are shown, unless --all is given. What runs out soon is said on
standard error.` + vpnLong,
		Example: `  strongroom vpn list --all
  strongroom vpn list --json | jq -r '.[] | select(.state == "valid") | .name'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vpnList(cmd.Context(), f, all) },
	}
	a.addVPNFlags(cmd, &f, false)
	cmd.Flags().BoolVar(&all, "all", false, "the expired and revoked ones too")
	return cmd
}

// listedEntry is an entry with what it is worth now.
type listedEntry struct {
	*vpnca.Entry
	State vpnca.State `json:"state"`
}

func (a *app) vpnList(parent context.Context, f vpnFlags, all bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	v, err := a.openVPN(ctx, f, false)
	if err != nil {
		return err
	}
	defer v.leave()
	index, err := v.authority.Index(ctx)
	if err != nil {
		return err
	}
	listed := []listedEntry{}
	rows := [][]string{{"NAME", "STATE", "UNTIL", "SERIAL NUMBER", "ISSUED"}}
	for _, e := range index.Entries {
		state := e.StateOf(v.authority.Certificate, a.now())
		if state != vpnca.Valid && !all {
			continue
		}
		listed = append(listed, listedEntry{e, state})
		rows = append(rows, []string{e.Name, string(state), e.Until.Format(time.DateOnly), "0x" + e.Serial, e.Issued.At.Format(time.DateOnly) + " by " + e.Issued.By})
	}
	a.warn(v, index)
	if f.json {
		return json.NewEncoder(a.out).Encode(listed)
	}
	if len(listed) == 0 {
		return writeText(a.out, "Nobody has a certificate. `strongroom vpn issue <name>` issues one.\n")
	}
	return writeText(a.out, columns(rows))
}

func (a *app) vpnShowCommand() *cobra.Command {
	var f vpnFlags
	cmd := &cobra.Command{
		Use:   "show <name>",
		Short: "Show everything about a person's certificates",
		Long: `Show every certificate that a person ever had: when and by whom it was issued,
until when it is or was valid, whether and why it was revoked, and the certificate.` + vpnLong,
		Example: `  strongroom vpn show alice
  strongroom vpn show alice --json | jq -r '.[-1].certificate' | openssl x509 -noout -text`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error { return a.vpnShow(cmd.Context(), args[0], f) },
	}
	a.addVPNFlags(cmd, &f, false)
	return cmd
}

func (a *app) vpnShow(parent context.Context, name string, f vpnFlags) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	v, err := a.openVPN(ctx, f, false)
	if err != nil {
		return err
	}
	defer v.leave()
	index, err := v.authority.Index(ctx)
	if err != nil {
		return err
	}
	listed := []listedEntry{}
	var b strings.Builder
	for _, e := range index.Named(name) {
		state := e.StateOf(v.authority.Certificate, a.now())
		listed = append(listed, listedEntry{e, state})
		rows := [][]string{
			{"certificate", "0x" + e.Serial},
			{"  state", string(state)},
			{"  valid", e.From.Format(time.RFC3339) + " to " + e.Until.Format(time.RFC3339)},
			{"  issued", e.Issued.At.Format(time.RFC3339) + " by " + e.Issued.By},
		}
		if e.Revoked != nil {
			rows = append(rows, []string{"  revoked", fmt.Sprintf("%s by %s (%s)", e.Revoked.At.Format(time.RFC3339), e.Revoked.By, e.Reason)})
		}
		if e.ReplacedBy != "" {
			rows = append(rows, []string{"  renewed by", "0x" + e.ReplacedBy})
		}
		b.WriteString(columns(rows) + e.Certificate)
	}
	if len(listed) == 0 {
		return fmt.Errorf("%w: no certificate was ever issued to %q: `strongroom vpn list --all` shows the names", vpnca.ErrUnknown, name)
	}
	a.warn(v, index)
	if f.json {
		return json.NewEncoder(a.out).Encode(listed)
	}
	return writeText(a.out, b.String())
}
