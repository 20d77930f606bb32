package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/vpnca"
)

func (a *app) vpnRevokeCommand() *cobra.Command {
	var f vpnFlags
	reason := string(vpnca.Unspecified)
	cmd := &cobra.Command{
		Use:   "revoke <name>",
		Short: "Lock a person out",
		Long: `Revoke every certificate of a person, sign the new revocation list and import it
into the endpoint. AWS then ends all open sessions: the person's for good, the
others' clients connect again by themselves.

A run that was interrupted, or whose import failed, is finished by the same command.` + vpnLong,
		Example: `  strongroom vpn revoke alice --reason affiliationChanged

  # A notebook was lost
  strongroom vpn revoke alice --reason keyCompromise`,
		Args: oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.vpnRevoke(cmd.Context(), args[0], vpnca.Reason(reason), f)
		},
	}
	a.addVPNFlags(cmd, &f, true)
	cmd.Flags().StringVar(&reason, "reason", reason, fmt.Sprintf("why, for the list: one of %q", vpnca.Reasons))
	return cmd
}

func (a *app) vpnRevoke(parent context.Context, name string, reason vpnca.Reason, f vpnFlags) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	v, err := a.openVPN(ctx, f, true)
	if err != nil {
		return err
	}
	defer v.leave()
	if err := v.authority.Revoke(ctx, name, reason); err != nil {
		if !errors.Is(err, vpnca.ErrRevoked) {
			return err
		}
		index, indexErr := v.authority.Index(ctx)
		if indexErr != nil {
			return indexErr
		}
		if v.authority.Published(index, v.endpoint.ID()) {
			return err
		}
		a.tell(err.Error() + ", and the endpoint does not know yet")
	}
	crl, _, err := v.authority.Publish(ctx, v.endpoint)
	if err != nil {
		return err
	}
	if crl == nil {
		return fmt.Errorf("%q is revoked, but there is no revocation list of this CA: run `strongroom vpn crl --refresh`", name)
	}
	if index, err := v.authority.Index(ctx); err == nil { // the endpoint has it already
		a.warn(v, index)
	}
	if f.json {
		return json.NewEncoder(a.out).Encode(map[string]any{"name": name, "crl": crl.Number, "endpoint": v.endpoint.ID()})
	}
	return writeText(a.out, fmt.Sprintf("%s is locked out: the endpoint %s has revocation list %d.\n", name, v.endpoint.ID(), crl.Number))
}
