package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/sandbox"
)

func (a *app) sandboxStatusCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is running in the sandbox",
		Long: `Show whether the sandbox runs, its control planes with their processes, Vault's
servers, how far Flux is in each cluster, and what the simulated account holds. It
changes nothing.`,
		Example: `  strongroom sandbox status

  strongroom sandbox status --json | jq .clusters`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandboxStatus(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, for machines")
	return cmd
}

func (a *app) sandboxStatus(parent context.Context, asJSON bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	b, err := a.open("")
	if err != nil {
		return err
	}
	status, err := b.Status(ctx)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(a.out).Encode(status)
	}
	return writeText(a.out, statusText(status, a.now()))
}

func statusText(s *sandbox.Status, now time.Time) string {
	var b strings.Builder
	if !s.Running {
		fmt.Fprintf(&b, "The sandbox in %s does not run: `strongroom sandbox up` (or `make up`) brings it up.\n", s.Dir)
		return b.String()
	}
	fmt.Fprintf(&b, "The sandbox in %s runs since %s (%s), process %d.\n", s.Dir, s.Since.Local().Format(time.DateTime), clock(now.Sub(s.Since)), s.PID)
	fmt.Fprintf(&b, "AWS is simulated, at %s\n", s.AccountURL)
	b.WriteString("\nControl planes (real)\n")
	if len(s.Clusters) == 0 {
		b.WriteString("  none\n")
	}
	for _, c := range s.Clusters {
		switch {
		case c.Changing:
			fmt.Fprintf(&b, "  %s  is being started, stopped or upgraded\n", c.Name)
			continue
		case c.Failure != "":
			fmt.Fprintf(&b, "  %s  is DOWN: %s\n", c.Name, c.Failure)
			continue
		}
		var processes []string
		for _, name := range slices.Sorted(maps.Keys(c.Processes)) {
			processes = append(processes, fmt.Sprintf("%s %d", name, c.Processes[name]))
		}
		fmt.Fprintf(&b, "  %s  %s  Kubernetes %s, processes: %s\n", c.Name, c.URL, c.ActualVersion, list(processes))
		if c.Note != "" {
			fmt.Fprintf(&b, "    %s\n", c.Note)
		}
	}
	b.WriteString(vaultText(s.Vaults))
	writeFlux(&b, s.Flux)
	b.WriteString("\nThe simulated account\n")
	total := 0
	rows := [][]string{{"  type", "objects"}}
	for _, typ := range slices.Sorted(maps.Keys(s.Objects)) {
		rows = append(rows, []string{"  " + typ, strconv.Itoa(s.Objects[typ])})
		total += s.Objects[typ]
	}
	if total == 0 {
		b.WriteString("  is empty\n")
		return b.String()
	}
	b.WriteString(columns(append(rows, []string{"  in all", strconv.Itoa(total)})))
	return b.String()
}
