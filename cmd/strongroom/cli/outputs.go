package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
)

type outputsFlags struct {
	placeFlags
	json, secrets bool
	only          string
}

func (a *app) outputsCommand() *cobra.Command {
	var f outputsFlags
	cmd := &cobra.Command{
		Use:   "outputs [stack...]",
		Short: "Show what the stacks export",
		Long: `Show what the stacks exported when they were last brought up: addresses, names,
the kubeconfig, and the contract that application reads from tooling. Secret
values are hidden unless --show-secrets is given.` + whereLong,
		Example: `  strongroom outputs tooling

  # One value for a script
  strongroom outputs tooling --only kubeconfig > tooling.kubeconfig

  strongroom outputs --json --sandbox`,
		ValidArgsFunction: a.completeStacks,
	}
	a.addPlaceFlags(cmd, &f.placeFlags)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object: stack, then output, then value")
	cmd.Flags().BoolVar(&f.secrets, "show-secrets", false, "print secret values too")
	cmd.Flags().StringVar(&f.only, "only", "", "print the value of this one output and nothing else; needs one stack")
	cmd.RunE = func(cmd *cobra.Command, names []string) error { return a.outputs(cmd.Context(), names, f) }
	return cmd
}

func (a *app) outputs(parent context.Context, names []string, f outputsFlags) error {
	if f.only != "" && len(names) != 1 {
		return usagef("--only %s: name the one stack whose output it is, such as `strongroom outputs tooling --only %s`", f.only, f.only)
	}
	ctx, stop := a.interruptible(parent)
	defer stop()
	p, err := a.goTo(ctx, f.placeFlags, false, a.silent())
	if err != nil {
		return err
	}
	defer p.leave()
	ordered, err := order(p.engine, names)
	if err != nil {
		return err
	}
	all := map[string]deploy.Outputs{}
	for _, stack := range ordered {
		o, err := p.engine.Outputs(ctx, stack)
		if err != nil {
			return err
		}
		if !f.secrets {
			o = o.Hidden()
		}
		all[stack] = o
	}
	switch {
	case f.only != "":
		return a.printOne(ordered[0], all[ordered[0]], f)
	case f.json:
		return json.NewEncoder(a.out).Encode(all)
	}
	var b strings.Builder
	for _, stack := range ordered {
		fmt.Fprintf(&b, "%s\n", stack)
		var rows [][]string
		for _, name := range slices.Sorted(maps.Keys(all[stack])) {
			text, err := valueText(all[stack][name].Value)
			if err != nil {
				return err
			}
			rows = append(rows, []string{"  " + name, text})
		}
		b.WriteString(columns(rows))
	}
	return writeText(a.out, b.String())
}

// silent reports nothing: what is said on the way must not get into the values.
func (a *app) silent() *reporter { return &reporter{json: json.NewEncoder(io.Discard), now: a.now} }

func (a *app) printOne(stack string, o deploy.Outputs, f outputsFlags) error {
	output, ok := o[f.only]
	if !ok {
		return fmt.Errorf("stack %q has no output %q: it has %s", stack, f.only, list(slices.Sorted(maps.Keys(o))))
	}
	if output.Secret && !f.secrets {
		return fmt.Errorf("output %q of stack %q is secret: give --show-secrets to print it", f.only, stack)
	}
	if f.json {
		return json.NewEncoder(a.out).Encode(output.Value)
	}
	text, err := valueText(output.Value)
	if err != nil {
		return err
	}
	return writeText(a.out, text+"\n")
}

// valueText is a string as it is, and anything else as JSON.
func valueText(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("print an output: %w", err)
	}
	return string(data), nil
}
