package account

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const addonNamespace = "kube-system"

var addonVersionForm = regexp.MustCompile(`^v(\d+\.\d+)\.\d+-eksbuild\.\d+$`)

// addon is what the simulated EKS knows of an add-on.
type addon struct {
	// lines are the releases ("1.20") that are offered, newest last. Empty means
	// that the add-on is released with Kubernetes.
	lines []string
	// needsNodes says that it is not active before its pods run on nodes.
	needsNodes bool
	// serviceAccounts are those that can have a role.
	serviceAccounts []string
	// texts are the settings whose schema wants a string.
	texts []string
}

// addons are those of AWS that a cluster like ours uses:
// https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html.
// The lines are a selection; EKS has more, and other builds of each.
var addons = map[string]addon{
	"vpc-cni": {
		lines: []string{"1.18", "1.19", "1.20", "1.21"}, serviceAccounts: []string{"aws-node"}, texts: []string{"enableNetworkPolicy"},
	},
	"kube-proxy":             {},
	"coredns":                {lines: []string{"1.11", "1.12", "1.13"}, needsNodes: true},
	"eks-pod-identity-agent": {lines: []string{"1.2", "1.3"}},
	"aws-ebs-csi-driver": {
		lines: []string{"1.48", "1.49", "1.50", "1.51", "1.52", "1.53"}, needsNodes: true, serviceAccounts: []string{"ebs-csi-controller-sa"},
	},
	"aws-efs-csi-driver": {
		lines: []string{"2.0", "2.1"}, needsNodes: true, serviceAccounts: []string{"efs-csi-controller-sa", "efs-csi-node-sa"},
	},
	"snapshot-controller": {lines: []string{"8.2", "8.3"}, needsNodes: true},
	"metrics-server":      {lines: []string{"0.7", "0.8"}, needsNodes: true},
}

// newest is the version that a cluster gets that asks for none.
func (a addon) newest(cluster string) string {
	line := cluster
	if len(a.lines) > 0 {
		line = a.lines[len(a.lines)-1]
	}
	return "v" + line + ".0-eksbuild.1"
}

// offers checks a version against a cluster's.
func (a addon) offers(version, cluster string) error {
	parts := addonVersionForm.FindStringSubmatch(version)
	lines := a.lines
	if len(lines) == 0 { // as kubelets, at most three minor versions behind
		for behind := kubeletSkew; behind >= 0; behind-- {
			lines = append(lines, fmt.Sprintf("1.%d", minor(cluster)-behind))
		}
	}
	if parts == nil || !slices.Contains(lines, parts[1]) {
		return refuse("InvalidParameterException", "Addon version specified is not supported: %q is not offered for Kubernetes %s; the simulated EKS has v%s", version, cluster, strings.Join(lines, ", v"))
	}
	return nil
}
