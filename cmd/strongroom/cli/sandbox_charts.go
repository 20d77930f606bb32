package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/sandbox/flux/charts"
)

func (a *app) sandboxChartsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "charts",
		Short: "Fetch the pinned charts, so that the sandbox installs them and no stubs",
		Long: `Fetch every chart that gitops/ and the stacks pin from where it is published into
the sandbox's chart mirror, the folder charts with an index.json that says where each
came from. Each is checked against the digest that its repository gives. Charts that
are there and whole are kept; a second run fetches nothing.

It talks to the charts' hosts, by HTTPS_PROXY and with Helm's registry logins where
they are there; a sandbox that is up does not. Charts whose hosts cannot be reached are
named and make it fail; what was fetched is kept, and stubs are installed in place of
the others. A sandbox that is up installs what was fetched after ` + "`sandbox down` and `sandbox up`" + `.`,
		Example: `  strongroom sandbox charts

  # Where each chart came from
  jq . .sandbox/charts/index.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandboxCharts(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line, for machines")
	return cmd
}

func (a *app) sandboxCharts(parent context.Context, asJSON bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	r := a.newReporter(asJSON)
	defer a.close(r)
	b, err := a.open("")
	if err != nil {
		return err
	}
	repo, err := a.repo()
	if err != nil {
		return err
	}
	r.phase("charts")
	total, there := 0, 0
	err = b.FetchCharts(ctx, repo, func(f charts.Fetched) {
		if total = f.Total; f.Already {
			there++
		}
		r.chart(f)
	}, func() { r.say("charts: waiting, another run fetches them") })
	if err == nil {
		r.say(fmt.Sprintf("charts: all %s are in %s; %d of them were there already", plural(total, "chart"), b.ChartsDir(), there))
	}
	return errors.Join(err, r.broken)
}
