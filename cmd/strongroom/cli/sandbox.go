package cli

import "github.com/spf13/cobra"

func (a *app) sandboxCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run both stacks on this machine; AWS is simulated",
		Long: `The sandbox is a place on one machine where both stacks run, without a cloud
account, containers or root. Real are the Pulumi engine, the EKS component and
the Kubernetes control planes; the AWS account is simulated.

Everything lies in one folder, .sandbox in the current directory or what
$` + dirVariable + ` names, and answers on 127.0.0.1 only. Every command can be
run again at any point, also after it was killed.`,
		Example: `  # Bring everything up, look at it, take it down
  strongroom sandbox up
  strongroom sandbox status
  strongroom sandbox down

  # Use pulumi, kubectl and aws on it by hand
  eval "$(strongroom sandbox env)"
  kubectl --context tooling get namespaces`,
		Args: subcommands,
		RunE: showHelp,
	}
	cmd.AddCommand(
		a.sandboxUpCommand(), a.sandboxDownCommand(), a.sandboxStatusCommand(), a.sandboxVerifyCommand(), a.sandboxEnvCommand(),
		a.sandboxLogsCommand(), a.sandboxToolsCommand(), a.sandboxChartsCommand(),
		a.sandboxDaemonCommand(), a.sandboxPluginCommand(), a.sandboxAWSCommand(),
	)
	return cmd
}
