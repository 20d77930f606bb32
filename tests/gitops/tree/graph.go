package tree

import (
	"fmt"
	"slices"
	"strings"
)

// dependsOn are the names that a unit says it depends on.
func (u *unit) dependsOn() []string {
	var names []string
	for _, d := range items(u.spec.list("dependsOn")) {
		names = append(names, d.text("name"))
	}
	return names
}

// after are all units that are ready before u is begun, u itself included.
func (c *cluster) after(u *unit) map[string]bool {
	seen := map[string]bool{}
	var visit func(name string)
	visit = func(name string) {
		if seen[name] || c.units[name] == nil {
			return
		}
		seen[name] = true
		for _, next := range c.units[name].dependsOn() {
			visit(next)
		}
	}
	visit(u.name)
	return seen
}

// graph holds the dependencies together: each exists, none goes in a circle, and what
// an object needs (its type, its namespace, its service account, its source) comes
// from a unit that is ready before.
func graph(c *cluster) []error {
	var problems []error
	for _, name := range c.names() {
		u := c.units[name]
		for _, on := range u.dependsOn() {
			if c.units[on] == nil {
				problems = append(problems, fmt.Errorf("Kustomization %s: depends on %s, which is not there: remove the edge or add it", name, on))
			}
		}
		if path := c.circle(name); path != nil {
			problems = append(problems, fmt.Errorf("Kustomization %s: depends on itself by %s: remove one of the edges", name, strings.Join(path, " -> ")))
		}
	}
	if len(problems) > 0 {
		return problems
	}
	for _, name := range c.names() {
		u := c.units[name]
		if name == rootUnit {
			continue
		}
		ready := c.after(u)
		for _, o := range u.objects {
			for _, need := range needs(o) {
				by := c.maker(need)
				switch {
				case by == "" && need.elsewhere:
				case by == "":
					problems = append(problems, fmt.Errorf("Kustomization %s: %s needs %s, which nothing in the tree makes", name, o, need))
				case !ready[by]:
					problems = append(problems, fmt.Errorf("Kustomization %s: %s needs %s, which Kustomization %s makes: add %s to its dependsOn", name, o, need, by, by))
				}
			}
		}
	}
	return problems
}

// circle returns the way from a unit back to itself, or nil.
func (c *cluster) circle(start string) []string {
	var found []string
	seen := map[string]bool{}
	var visit func(name string, way []string) bool
	visit = func(name string, way []string) bool {
		for _, next := range c.units[name].dependsOn() {
			if next == start {
				found = append(slices.Clone(way), start)
				return true
			}
			if c.units[next] == nil || seen[next] {
				continue
			}
			seen[next] = true
			if visit(next, append(way, next)) {
				return true
			}
		}
		return false
	}
	visit(start, []string{start})
	return found
}

// need is something that must be there before an object can be.
type need struct {
	what, namespace, name string
	// elsewhere is set when something outside of the tree may make it.
	elsewhere bool
}

func (n need) String() string {
	if n.namespace != "" {
		return n.what + " " + n.namespace + "/" + n.name
	}
	return n.what + " " + n.name
}

// ready namespaces: Kubernetes' own, Flux's, and those that Pulumi makes because it
// puts secrets into them.
var givenNamespaces = []string{"", "kube-system", "default", "flux-system", "vault"}

// charts bring the types of these API groups.
var chartOfGroup = map[string]string{
	"elbv2.k8s.aws":         "aws-load-balancer-controller",
	"external-secrets.io":   "external-secrets",
	"monitoring.coreos.com": "kube-prometheus-stack",
}

// needs lists what an object needs.
func needs(o object) []need {
	var all []need
	if !slices.Contains(givenNamespaces, o.namespace()) {
		all = append(all, need{what: "Namespace", name: o.namespace()})
	}
	if chart, ok := chartOfGroup[o.group()]; ok {
		all = append(all, need{what: "the chart", name: chart})
	}
	if o.kind() == "HelmRelease" {
		all = append(all, need{what: "ServiceAccount", namespace: o.namespace(), name: o.text("spec", "serviceAccountName")})
		source := o.object("spec", "chart", "spec", "sourceRef")
		if source == nil {
			source = o.object("spec", "chartRef")
		}
		// In its own namespace: see multitenant in components/fluxbootstrap.
		all = append(all, need{what: source.text("kind"), namespace: o.namespace(), name: source.text("name")})
	}
	if o.kind() == "ExternalSecret" {
		all = append(all, need{what: "ClusterSecretStore", name: o.text("spec", "secretStoreRef", "name")})
	}
	return all
}

// maker is the unit that makes what is needed, or "".
func (c *cluster) maker(n need) string {
	for _, name := range c.names() {
		for _, o := range c.units[name].objects {
			if n.what == "the chart" {
				if o.kind() == "HelmRelease" && o.name() == n.name {
					return name
				}
				continue
			}
			if o.kind() == n.what && o.namespace() == n.namespace && o.name() == n.name {
				return name
			}
		}
	}
	return ""
}
