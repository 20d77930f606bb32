package awscli

import (
	"fmt"
	"slices"
	"strings"
)

// globalOptions are accepted by every command, with a value each.
var globalOptions = []string{"region", "output", "profile", "endpoint-url"}

// parse splits args into the command's words and its --option values, which may
// be written --option=value.
func parse(args []string) (positional []string, options map[string]string, err error) {
	options = map[string]string{}
	for i := 0; i < len(args); i++ {
		name, isOption := strings.CutPrefix(args[i], "--")
		if !isOption {
			positional = append(positional, args[i])
			continue
		}
		name, value, inline := strings.Cut(name, "=")
		if !inline {
			if i++; i == len(args) {
				return nil, nil, fmt.Errorf("--%s: expected one argument", name)
			}
			value = args[i]
		}
		options[name] = value
	}
	if output := options["output"]; output != "" && output != "json" && (output != "text" || options["query"] == "") {
		return nil, nil, fmt.Errorf("--output %q: only json is known here, and text with --query", output)
	}
	return positional, options, nil
}

// allow refuses options that are neither global nor among names.
func allow(options map[string]string, names ...string) error {
	for option := range options {
		switch {
		case slices.Contains(globalOptions, option) || slices.Contains(names, option):
		case option == "role-arn" || option == "role":
			return fmt.Errorf("--%s: the simulated account cannot assume roles; leave the role out of the kubeconfig", option)
		default:
			return fmt.Errorf("unknown option --%s\n\n%s", option, whatItIs)
		}
	}
	return nil
}
