package tree

import "fmt"

// secrets refuses Secrets with something in them: Git never forgets.
func secrets(c *cluster) []error {
	var problems []error
	for _, name := range c.names() {
		for _, o := range c.units[name].objects {
			if o.kind() == "Secret" && (len(o.object("data")) > 0 || len(o.object("stringData")) > 0) {
				problems = append(problems, fmt.Errorf("Kustomization %s: %s: has data, which would stay in Git for ever: let Pulumi make it, or an ExternalSecret", name, o))
			}
		}
	}
	return problems
}
