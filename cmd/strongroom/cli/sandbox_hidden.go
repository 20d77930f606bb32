package cli

import (
	"context"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/sandbox/awscli"
	"github.com/strongroom-platform/strongroom/sandbox/awsprovider"
	"github.com/strongroom-platform/strongroom/sandbox/kubernetes"
	"github.com/strongroom-platform/strongroom/sandbox/plugin"
	"github.com/strongroom-platform/strongroom/sandbox/tls"
	"github.com/strongroom-platform/strongroom/sandbox/vaultprovider"
)

// These commands are run by the sandbox itself and not shown in the help.

func (a *app) sandboxDaemonCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "daemon",
		Short:   "Be the sandbox's daemon; `strongroom sandbox up` starts it",
		Long:    "Be the process that holds the simulated account and the control planes until it is\ntold to end. Its log goes to standard error.",
		Example: `  strongroom sandbox daemon`,
		Hidden:  true,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			// ^C and SIGTERM end it in order; the terminal it was started from may go.
			signal.Ignore(syscall.SIGHUP)
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			b, err := a.open("")
			if err != nil {
				return err
			}
			return b.Serve(ctx)
		},
	}
}

// plugins are the providers that this program can be, by package name. Each is
// given the arguments of the engine and the sandbox's folder.
var plugins = map[string]func(ctx context.Context, args []string, out io.Writer, dir string) error{
	"aws": awsprovider.Serve,
	"kubernetes": func(ctx context.Context, args []string, out io.Writer, _ string) error {
		return plugin.Serve(ctx, args, out, kubernetes.New())
	},
	"tls": func(ctx context.Context, args []string, out io.Writer, _ string) error {
		return plugin.Serve(ctx, args, out, tls.New())
	},
	"vault": func(ctx context.Context, args []string, out io.Writer, _ string) error {
		return plugin.Serve(ctx, args, out, vaultprovider.New())
	},
}

func (a *app) sandboxPluginCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "plugin <name> [argument of the engine...]",
		Short:              "Be a provider of the sandbox; the engine starts it",
		Long:               "Be the provider pulumi-resource-<name>: write the port to standard output and serve the engine.",
		Example:            `  strongroom sandbox plugin tls 127.0.0.1:40001`,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			known := slices.Sorted(maps.Keys(plugins))
			if len(args) == 0 {
				return usagef("name the provider to be: one of %s", list(known))
			}
			serve, ok := plugins[args[0]]
			if !ok {
				return usagef("there is no provider %q in the sandbox: there are %s", args[0], list(known))
			}
			b, err := a.open("")
			if err != nil {
				return err
			}
			return serve(cmd.Context(), args[1:], a.out, b.Folder())
		},
	}
}

func (a *app) sandboxAWSCommand() *cobra.Command {
	return &cobra.Command{
		Use:                "aws [argument...]",
		Short:              "Stand in for the AWS CLI where the machine has none",
		Long:               "Stand in for the AWS CLI on the simulated account: it knows `eks get-token` and `sts get-caller-identity`.",
		Example:            `  strongroom sandbox aws sts get-caller-identity`,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			c := awscli.Command{Getenv: a.getenv, Stdout: a.out, Stderr: a.err}
			if code := c.Run(cmd.Context(), args); code != 0 {
				return exitCode(code)
			}
			return nil
		},
	}
}
