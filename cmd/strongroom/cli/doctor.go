package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// verdict of one check.
type verdict string

const (
	good    verdict = "ok"
	missing verdict = "missing"  // needed
	absent  verdict = "optional" // good to have, and not there
	warning verdict = "warning"
)

// finding is what doctor says about one thing.
type finding struct {
	Name    string  `json:"name"`
	Verdict verdict `json:"verdict"`
	// Detail is what was found.
	Detail string `json:"detail"`
	// For says what it is needed for.
	For string `json:"for"`
	// Get says how to get it, by system; only where something is to be done.
	Get map[string]string `json:"get,omitempty"`
}

// systems in the order in which they are shown.
var systems = []string{"Debian", "macOS", "Fedora"}

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine lacks and how to get it",
		Long: `Look for what strongroom needs on this machine: programs and their versions, disk,
memory, free ports and a folder to write to. What is missing comes with the way
to get it on Debian, macOS and Fedora. The exit code is 1 if something that is
needed is missing. Nothing is changed.`,
		Example: `  strongroom doctor

  # In a script
  strongroom doctor --json | jq '.findings[] | select(.verdict == "missing")'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, for machines")
	return cmd
}

func (a *app) doctor(ctx context.Context, asJSON bool) error {
	b, err := a.open("")
	if err != nil {
		return err
	}
	findings := a.examine(ctx, b)
	lacking := 0
	for _, f := range findings {
		if f.Verdict == missing {
			lacking++
		}
	}
	if asJSON {
		if err := json.NewEncoder(a.out).Encode(map[string]any{"ok": lacking == 0, "findings": findings}); err != nil {
			return err
		}
	} else if err := writeText(a.out, doctorText(findings, lacking)); err != nil {
		return err
	}
	if lacking > 0 {
		return exitCode(exitFailure)
	}
	return nil
}

func doctorText(findings []finding, lacking int) string {
	var b strings.Builder
	rows := make([][]string, 0, len(findings))
	for _, f := range findings {
		rows = append(rows, []string{string(f.Verdict), f.Name, f.Detail})
	}
	b.WriteString(columns(rows))
	for _, f := range findings {
		if len(f.Get) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s, for %s:\n", f.Name, f.For)
		var ways [][]string
		for _, system := range systems {
			if way, ok := f.Get[system]; ok {
				ways = append(ways, []string{"  " + system, way})
			}
		}
		b.WriteString(columns(ways))
	}
	if lacking > 0 {
		fmt.Fprintf(&b, "\n%s that strongroom needs is missing: get it as said above, then run this again.\n", plural(lacking, "thing"))
		return b.String()
	}
	b.WriteString("\nNothing that is needed is missing. `make up` brings both stacks up on this machine.\n")
	return b.String()
}
