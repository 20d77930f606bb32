package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// realParts and simulatedParts are said wherever the sandbox shows what it is.
var (
	realParts = []string{
		"the Pulumi engine, with state on disk and secrets encrypted in it",
		"the EKS component, @pulumi/eks under Node",
		"the Kubernetes control planes: kube-apiserver, kube-controller-manager and etcd, one set per cluster",
		"authentication: signed tokens, checked against the cluster's access entries",
		"Vault: three servers with the rendered configuration, initialised by the Job's scripts and unsealed by the simulated KMS",
		"Vault's inside, declared by the stacks; the logins to it; PostgreSQL, where the machine has it",
		"Flux: its source, kustomize and helm controllers, over SSH from the working tree",
		"keys and certificates",
	}
	simulatedParts = []string{
		"AWS: every aws:* resource is an object in the simulated account, which is strict about references, order and names",
		"nodes: node groups are objects only, so pods stay Pending; Vault's are shown on simulated nodes, which take port-forwards",
		"charts: stubs of the same names that record their values, but for those that `make charts` fetched",
		"what charts and Flux make: Jobs but vault-init are marked complete, Deployments and the like ready, though no Pod runs; webhooks of charts are not called",
		"GitLab, whose jobs log in to Vault with tokens that the sandbox signs",
		"traffic: load balancers, gateways, routes and DNS names carry none",
	}
)

// text is the table at the end of `sandbox up`.
func (s *upSummary) text() string {
	var b strings.Builder
	b.WriteString("\nResources\n")
	b.WriteString(columns(s.resourceRows()))

	b.WriteString("\nAddresses\n")
	rows := [][]string{{"  account", "simulated AWS API", s.AccountURL}}
	for _, stack := range s.Stacks {
		for _, output := range []struct{ name, what string }{
			{"clusterEndpoint", "Kubernetes API"},
			{"vaultAddress", "where Vault will answer (simulated name)"},
			{"vpcCidr", "VPC (simulated)"},
		} {
			if text, ok := stack.Outputs[output.name].Value.(string); ok {
				rows = append(rows, []string{"  " + stack.Stack, output.what, text})
			}
		}
	}
	b.WriteString(columns(rows))

	b.WriteString("\nControl planes, each checked through its own kubeconfig\n")
	rows = nil
	for _, c := range s.Clusters {
		rows = append(rows, []string{"  " + c.Stack, c.runs(), fmt.Sprintf("namespace created and deleted; sandbox-stranger, who has no access entry, refused (%s)", c.Stranger)})
	}
	b.WriteString(columns(rows))
	for _, c := range s.Clusters {
		if c.Note != "" {
			fmt.Fprintf(&b, "  %s: %s\n", c.Stack, c.Note)
		}
	}

	writeFlux(&b, s.Flux)
	b.WriteString(verifiedText(s.Vault))

	writeList(&b, "\nReal", realParts)
	writeList(&b, "\nSimulated", simulatedParts)

	b.WriteString("\nTime\n")
	rows = nil
	for _, p := range s.Phases {
		rows = append(rows, []string{"  " + p.Phase, seconds(p.Seconds)})
	}
	rows = append(rows, []string{"  in all", seconds(s.Seconds)})
	b.WriteString(columns(rows))

	b.WriteString("\nTry next\n")
	program := s.Dir + "/bin/strongroom"
	b.WriteString(columns([][]string{
		{"  eval \"$(" + program + " sandbox env)\"", "use pulumi, kubectl, aws and strongroom on it in this shell, then:"},
		{"  kubectl --context tooling get namespaces", "a stock kubectl on the real API server"},
		{"  strongroom preview", "no changes; edit Pulumi.tooling.yaml and look again"},
		{"  strongroom sandbox status", "what runs"},
		{"  strongroom sandbox verify", "log in to Vault in every way again, and see a database user come and go"},
		{"  make down", "destroy both stacks and prove that nothing is left"},
	}))
	return b.String()
}

// resourceRows has a row per type and a column per stack.
func (s *upSummary) resourceRows() [][]string {
	head, total, components := []string{"  type"}, []string{"  in all"}, []string{"  components, which group them"}
	types := map[string]bool{}
	for _, stack := range s.Stacks {
		head = append(head, stack.Stack)
		sum := 0
		for typ, n := range stack.Resources {
			types[typ] = true
			sum += n
		}
		total = append(total, strconv.Itoa(sum))
		components = append(components, strconv.Itoa(stack.Components))
	}
	rows := [][]string{head}
	for _, typ := range slices.Sorted(maps.Keys(types)) {
		row := []string{"  " + typ}
		for _, stack := range s.Stacks {
			row = append(row, strconv.Itoa(stack.Resources[typ]))
		}
		rows = append(rows, row)
	}
	return append(rows, total, components)
}

// runs says which Kubernetes it is.
func (r clusterReport) runs() string {
	if r.Actual == "" {
		return "Kubernetes"
	}
	return "Kubernetes " + r.Actual
}

func writeList(b *strings.Builder, title string, lines []string) {
	b.WriteString(title + "\n")
	for _, line := range lines {
		b.WriteString("  " + line + "\n")
	}
}

func seconds(s float64) string {
	return clock(time.Duration(s * float64(time.Second)))
}
