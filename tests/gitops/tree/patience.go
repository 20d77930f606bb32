package tree

import "fmt"

// patience holds what says when Flux gives up and tries again, and with whose rights
// it acts.
func patience(c *cluster) []error {
	var problems []error
	for _, name := range c.names() {
		u := c.units[name]
		if name != rootUnit {
			for _, key := range []string{"interval", "retryInterval", "timeout", "prune", "wait", "deletionPolicy", "serviceAccountName"} {
				if u.spec[key] == nil {
					problems = append(problems, fmt.Errorf("Kustomization %s: spec.%s is missing: gitops/clusters/common sets it, is the component listed?", name, key))
				}
			}
			if u.spec.text("sourceRef", "name") != rootUnit {
				problems = append(problems, fmt.Errorf("Kustomization %s: spec.sourceRef is not the GitRepository %s", name, rootUnit))
			}
		}
		for _, o := range u.objects {
			if o.kind() != "HelmRelease" {
				continue
			}
			for _, keys := range [][]string{
				{"interval"}, {"timeout"}, {"serviceAccountName"}, {"install", "remediation", "retries"}, {"upgrade", "remediation", "retries"},
			} {
				if o.object("spec").at(keys...) == nil {
					problems = append(problems, fmt.Errorf("Kustomization %s: %s: spec.%s is missing: without it a release that fails once stays so", name, o, dotted(keys)))
				}
			}
		}
	}
	return problems
}

func dotted(keys []string) string {
	s := keys[0]
	for _, k := range keys[1:] {
		s += "." + k
	}
	return s
}
