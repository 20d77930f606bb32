package cli

import "github.com/spf13/cobra"

const rootLong = `strongroom is a production HashiCorp Vault platform on AWS: a tooling stack that
runs Vault and an application stack that takes its secrets from it.

On one machine, without a cloud account, the sandbox brings both stacks up with
the real Pulumi engine and real Kubernetes control planes; only AWS is simulated.

Exit codes:
  0    done
  1    it failed; the message says what to do
  2    the command line makes no sense; nothing was done
  130  interrupted; run it again to finish`

// root is the whole command line.
func (a *app) root() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "strongroom",
		Short: "A production Vault platform on AWS, provable on one machine",
		Long:  rootLong,
		Example: `  # What does this machine lack?
  strongroom doctor

  # Both stacks on this machine, AWS simulated (make up does the same)
  strongroom sandbox up

  # What would change on AWS, with your own credentials and state
  strongroom preview`,
		Args:          subcommands,
		RunE:          showHelp,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	cmd.AddCommand(
		a.upCommand(), a.previewCommand(), a.refreshCommand(), a.destroyCommand(), a.outputsCommand(), a.statusCommand(),
		a.vaultCommand(), a.vpnCommand(), a.sandboxCommand(), a.doctorCommand(), a.versionCommand(),
	)
	return cmd
}
