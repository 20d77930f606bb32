package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

func (a *app) sandboxToolsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "tools",
		Short: "Build the engine, the control plane and Flux, fetch the EKS component",
		Long: `Build from their Go modules what the sandbox runs: the Pulumi CLI, etcd,
kube-apiserver and kube-controller-manager, Vault, Flux's controllers with their
CRDs, and kubectl where the machine has none; and install @pulumi/eks from its
lockfile. What is there already is kept. It takes about ten minutes on two cores the
first time, and goes on where it was when it was interrupted. ` + "`sandbox up`" + ` does it too.`,
		Example: `  strongroom sandbox tools`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, stop := a.interruptible(cmd.Context())
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
			return errors.Join(a.buildTools(ctx, r, b.FluxTools, repo), r.broken)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line, for machines")
	return cmd
}

// buildTools builds what is missing and says so where nothing was.
func (a *app) buildTools(ctx context.Context, r *reporter, build func(context.Context, string, func(toolchain.Event)) error, repo string) error {
	r.phase("tools")
	made, there := 0, 0
	err := build(ctx, repo, func(e toolchain.Event) {
		switch e.State {
		case toolchain.Built:
			made++
		case toolchain.Current, toolchain.System:
			there++
		case toolchain.Waiting, toolchain.Building, toolchain.Failed:
		}
		r.tool(e)
	})
	if err == nil && made == 0 && r.json == nil {
		r.say("tools: all " + plural(there, "tool") + " are there already")
	}
	return err
}

// repo is the checkout that this is run in.
func (a *app) repo() (string, error) {
	dir, err := a.getwd()
	if err != nil {
		return "", err
	}
	return a.findRepo(dir)
}
