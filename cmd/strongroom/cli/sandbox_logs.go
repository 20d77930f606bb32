package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// followEvery is how often a log is looked at for more.
const followEvery = 200 * time.Millisecond

func (a *app) sandboxLogsCommand() *cobra.Command {
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs [name]",
		Short: "Show a log of the sandbox, or list them",
		Long: `Without a name, list the logs there are: the daemon's, the engine's per stack and
operation, and those of each control plane's programs. With a name, print it.
The engine hides secrets in its logs.`,
		Example: `  strongroom sandbox logs
  strongroom sandbox logs daemon
  strongroom sandbox logs tooling/kube-apiserver -f`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.sandboxLogs(cmd.Context(), args, follow) },
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return usagef("%s shows one log at a time, got %q", cmd.CommandPath(), args)
		}
		if follow && len(args) == 0 {
			return usagef("--follow needs the name of a log: `%s` lists them", cmd.CommandPath())
		}
		return nil
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		b, err := a.open("")
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		logs, err := logsOf(b)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return slices.Sorted(maps.Keys(logs)), cobra.ShellCompDirectiveNoFileComp
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on printing what is added, until ^C")
	return cmd
}

func (a *app) sandboxLogs(parent context.Context, args []string, follow bool) error {
	b, err := a.open("")
	if err != nil {
		return err
	}
	logs, err := logsOf(b)
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return a.listLogs(logs)
	}
	path, ok := logs[args[0]]
	if !ok {
		return usagef("there is no log %q: there are %s", args[0], list(slices.Sorted(maps.Keys(logs))))
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // only read from
	for {
		if _, err := io.Copy(a.out, file); err != nil {
			return fmt.Errorf("print %s: %w", path, err)
		}
		if !follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil // ^C is how it ends
		case <-time.After(followEvery):
		}
	}
}

func (a *app) listLogs(logs map[string]string) error {
	if len(logs) == 0 {
		return writeText(a.out, "There are no logs yet.\n")
	}
	rows := [][]string{{"name", "kB", "changed", "file"}}
	for _, name := range slices.Sorted(maps.Keys(logs)) {
		info, err := os.Stat(logs[name])
		if err != nil {
			continue // gone since it was listed
		}
		rows = append(rows, []string{name, fmt.Sprint((info.Size() + 1023) / 1024), info.ModTime().Local().Format(time.DateTime), logs[name]})
	}
	return writeText(a.out, columns(rows))
}

// logsOf finds the logs by name: those of the sandbox by their file's name,
// those of a control plane as <cluster>/<program>.
func logsOf(b box) (map[string]string, error) {
	logs := map[string]string{}
	if err := addLogs(logs, "", b.LogDir()); err != nil {
		return nil, err
	}
	clusters, err := os.ReadDir(b.ClustersDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("logs of the control planes: %w", err)
	}
	for _, cluster := range clusters {
		if err := addLogs(logs, cluster.Name()+"/", filepath.Join(b.ClustersDir(), cluster.Name(), "logs")); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

func addLogs(logs map[string]string, prefix, dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("logs of the sandbox: %w", err)
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			logs[prefix+strings.TrimSuffix(entry.Name(), ".log")] = filepath.Join(dir, entry.Name())
		}
	}
	return nil
}
