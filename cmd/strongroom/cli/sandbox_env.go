package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) sandboxEnvCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print what a shell needs to use pulumi, kubectl and aws on the sandbox",
		Long: `Print the lines that make pulumi, kubectl, aws and strongroom in a shell work on
the sandbox and on nothing else: PATH with the sandbox's tools first, the state,
the simulated account, and one kubeconfig context per stack. The sandbox must be
up.

Pulumi's own files of the stacks are in the folder that STRONGROOM_PROJECT names:
pulumi -C "$STRONGROOM_PROJECT" stack -s tooling`,
		Example: `  eval "$(strongroom sandbox env)"
  kubectl --context application get namespaces
  pulumi -C "$STRONGROOM_PROJECT" stack output -s tooling`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return a.sandboxEnv(asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: set, and unset, for machines")
	return cmd
}

func (a *app) sandboxEnv(asJSON bool) error {
	b, err := a.open("")
	if err != nil {
		return err
	}
	env, err := b.Env()
	if err != nil {
		return err
	}
	set := maps.Clone(env)
	set["STRONGROOM_PROJECT"] = b.Target().WorkDir
	files, err := kubeconfigs(b)
	if err != nil {
		return err
	}
	if len(files) > 0 {
		set["KUBECONFIG"] = strings.Join(files, string(filepath.ListSeparator))
	}
	unset := b.Foreign()
	if asJSON {
		return json.NewEncoder(a.out).Encode(map[string]any{"set": set, "unset": unset})
	}
	return writeText(a.out, exports(set, unset))
}

// exports are lines for a POSIX shell.
func exports(set map[string]string, unset []string) string {
	var b strings.Builder
	b.WriteString("# AWS is simulated in here: " + set[dirVariable] + "\n")
	for _, name := range unset {
		fmt.Fprintf(&b, "unset %s\n", name)
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		fmt.Fprintf(&b, "export %s=%s\n", name, quote(set[name]))
	}
	return b.String()
}

// quote makes one word for a shell.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
