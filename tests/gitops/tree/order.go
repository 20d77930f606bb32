package tree

import "fmt"

// edge is an order that no schema shows: what goes wrong without it, only a person knows.
type edge struct{ later, earlier, why string }

// orders are the edges that graph cannot find out by itself.
var orders = []edge{
	{"external-secrets", "load-balancer-controller", "its webhook would refuse Services while it starts"},
	{"monitoring", "load-balancer-controller", "its webhook would refuse Services while it starts"},
	{"monitoring", "storage", "Prometheus keeps its data on gp3"},
	{"vault", "load-balancer-controller", "its webhook would refuse Services while it starts"},
	{"vault", "storage", "Vault keeps its data on gp3 or EFS"},
	{"vault-init", "vault", "there is nothing to initialise before"},
	{"vault-snapshot", "vault-init", "there is no role to log in by before"},
	{"vault-front", "vault", "the Service whose pods join is the chart's"},
	{"vault-monitoring", "vault", "there is nothing to watch before"},
	{"secret-stores", "vault-init", "a store of a sealed Vault is not ready"},
	{"apps", "monitoring", "the runner's metrics are watched from its first job on"},
	{"notifications", "monitoring", "alerts go to its Alertmanager"},
	{"vault-injector", "load-balancer-controller", "its webhook would refuse Services while it starts"},
	{"apps", "vault-injector", "a pod that starts before the injector's webhook has no secrets"},
	{"apps", "secret-stores", "what apps need comes from the stores"},
}

// order holds the orders above, as far as both sides are in the cluster.
func order(c *cluster) []error {
	var problems []error
	for _, e := range orders {
		later, earlier := c.units[e.later], c.units[e.earlier]
		if later == nil || earlier == nil || c.circle(e.later) != nil {
			continue
		}
		if !c.after(later)[e.earlier] {
			problems = append(problems, fmt.Errorf("Kustomization %s: must come after %s, because %s: add %s to its dependsOn", e.later, e.earlier, e.why, e.earlier))
		}
	}
	return problems
}
