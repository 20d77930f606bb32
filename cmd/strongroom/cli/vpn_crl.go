package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/vpnca"
)

type vpnCRLFlags struct {
	vpnFlags
	refresh, now, imports, check bool
	out                          string
}

func (a *app) vpnCRLCommand() *cobra.Command {
	var f vpnCRLFlags
	cmd := &cobra.Command{
		Use:   "crl",
		Short: "Show the revocation list, refresh it, import it",
		Long: `Show the revocation list and which one the endpoint has.

--refresh signs a new one when the old one has less than 60 days left, and imports
it; a scheduled job runs this every day. An endpoint whose list has run out may
refuse everybody. An import ends all open sessions, so nothing is imported without
need; clients connect again by themselves.` + vpnLong,
		Example: `  strongroom vpn crl --refresh

  # For monitoring: exit code 1 when something runs out soon or was not imported
  strongroom vpn crl --check

  strongroom vpn crl --out crl.pem`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.vpnCRL(cmd.Context(), f) },
	}
	a.addVPNFlags(cmd, &f.vpnFlags, true)
	cmd.Flags().BoolVar(&f.refresh, "refresh", false, "sign a new list if the old one runs out within 60 days, and import it")
	cmd.Flags().BoolVar(&f.now, "now", false, "with --refresh: sign a new list in any case")
	cmd.Flags().BoolVar(&f.imports, "import", false, "import the newest list if the endpoint does not have it")
	cmd.Flags().BoolVar(&f.check, "check", false, "exit with code 1 if there is a warning")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", "write the list in PEM form to this file, which must not exist; - for standard output")
	return cmd
}

func (a *app) vpnCRL(parent context.Context, f vpnCRLFlags) error {
	if f.now && !f.refresh {
		return usagef("--now goes with --refresh")
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	v, err := a.openVPN(ctx, f.vpnFlags, f.refresh)
	if err != nil {
		return err
	}
	defer v.leave()
	if f.refresh {
		within := vpnca.RefreshWithin
		if f.now {
			within = 100 * 365 * 24 * time.Hour
		}
		if _, err := v.authority.RefreshCRL(ctx, within); err != nil {
			return err
		}
	}
	if f.refresh || f.imports {
		crl, imported, err := v.authority.Publish(ctx, v.endpoint)
		if err != nil {
			return err
		}
		if imported {
			a.tell(fmt.Sprintf("imported revocation list %d into %s", crl.Number, v.endpoint.ID()))
		}
	}
	index, err := v.authority.Index(ctx)
	if err != nil {
		return err
	}
	if err := a.printCRL(v, index, f); err != nil {
		return err
	}
	if a.warn(v, index) > 0 && f.check {
		return exitCode(exitFailure)
	}
	return nil
}

func (a *app) printCRL(v *vpn, index *vpnca.Index, f vpnCRLFlags) error {
	if index.CRL == nil {
		if f.out != "" {
			return fmt.Errorf("there is no revocation list yet: --refresh signs an empty one")
		}
		if f.json {
			return json.NewEncoder(a.out).Encode(nil)
		}
		return writeText(a.out, "There is no revocation list yet: nobody was ever revoked. --refresh signs an empty one.\n")
	}
	list, err := index.CRL.Parse()
	if err != nil {
		return err
	}
	switch {
	case f.out == "-":
		return writeText(a.out, index.CRL.PEM)
	case f.out != "":
		if err := newFile(f.out, []byte(index.CRL.PEM)); err != nil {
			if os.IsExist(err) {
				return fmt.Errorf("%w: %s: it is never written over; choose another file", vpnca.ErrExists, f.out)
			}
			return fmt.Errorf("--out: %w", err)
		}
	}
	if f.json {
		return json.NewEncoder(a.out).Encode(map[string]any{
			"number": index.CRL.Number, "from": index.CRL.From, "until": index.CRL.Until, "pem": index.CRL.PEM,
			"revoked": len(list.RevokedCertificateEntries), "imports": index.Imports,
			"published": v.authority.Published(index, v.endpoint.ID()),
		})
	}
	rows := [][]string{
		{"number", fmt.Sprintf("%d, signed %s by %s", index.CRL.Number, index.CRL.Signed.At.Format(time.RFC3339), index.CRL.Signed.By)},
		{"valid", index.CRL.From.Format(time.DateOnly) + " to " + index.CRL.Until.Format(time.DateOnly)},
		{"revoked", plural(len(list.RevokedCertificateEntries), "certificate")},
	}
	for _, id := range slices.Sorted(maps.Keys(index.Imports)) {
		i := index.Imports[id]
		text := fmt.Sprintf("has list %d since %s", i.Number, i.At.Format(time.RFC3339))
		if i.Number == 0 {
			text = "has none"
		}
		rows = append(rows, []string{id, text})
	}
	return writeText(a.out, columns(rows))
}
