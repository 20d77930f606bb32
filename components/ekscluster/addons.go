package ekscluster

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// phase says when an add-on is made.
type phase int

const (
	// afterNodes is for what runs as ordinary pods: it is only active once a node
	// can take them.
	afterNodes phase = iota
	// beforeNodes is for what a node needs to become ready. It is active without
	// a node.
	beforeNodes
)

const addonNamespace = "kube-system"

// addonTraits are what this package knows about an add-on.
type addonTraits struct {
	phase phase
	// serviceAccount gets a role with the policy through Pod Identity.
	serviceAccount string
	policy         string
	configuration  map[string]any
}

// traits of the add-ons that need more than to be there:
// https://docs.aws.amazon.com/eks/latest/userguide/workloads-add-ons-available-eks.html.
var traits = map[string]addonTraits{
	"vpc-cni": {
		phase:          beforeNodes,
		serviceAccount: "aws-node",
		policy:         "AmazonEKS_CNI_Policy",
		// A string, says the add-on's schema.
		configuration: map[string]any{"enableNetworkPolicy": "true"},
	},
	"kube-proxy":             {phase: beforeNodes},
	"eks-pod-identity-agent": {phase: beforeNodes},
	"coredns":                {},
	"aws-ebs-csi-driver":     {serviceAccount: "ebs-csi-controller-sa", policy: "service-role/AmazonEBSCSIDriverPolicy"},
	"aws-efs-csi-driver":     {serviceAccount: "efs-csi-controller-sa", policy: "service-role/AmazonEFSCSIDriverPolicy"},
}

// required add-ons: without the first, no node has a network, because the node
// role has no rights for the one that EKS installs by itself; without the
// second, the first has no rights either.
var required = []string{"vpc-cni", "eks-pod-identity-agent"}

// DefaultAddons are what a cluster gets that names none.
func DefaultAddons() []Addon {
	return []Addon{
		{Name: "vpc-cni"},
		{Name: "kube-proxy"},
		{Name: "eks-pod-identity-agent"},
		{Name: "coredns"},
		{Name: "aws-ebs-csi-driver"},
		{Name: "aws-efs-csi-driver"},
	}
}

// addons makes the add-ons of one phase after needs.
func (b *builder) addons(when phase, needs []pulumi.Resource) ([]pulumi.Resource, error) {
	var made []pulumi.Resource
	for _, addon := range b.args.addons() {
		known := traits[addon.Name]
		if known.phase != when {
			continue
		}
		a, err := b.addon(addon, known, needs)
		if err != nil {
			return nil, fmt.Errorf("add-on %q: %w", addon.Name, err)
		}
		made = append(made, a)
	}
	return made, nil
}

func (b *builder) addon(addon Addon, known addonTraits, needs []pulumi.Resource) (*eks.Addon, error) {
	args := &eks.AddonArgs{
		ClusterName: b.cluster.ClusterName,
		AddonName:   pulumi.String(addon.Name),
		// A new cluster comes with vpc-cni, kube-proxy and coredns of its own, which
		// the add-on takes over. What someone edits by hand later does not stay.
		ResolveConflictsOnCreate: pulumi.String("OVERWRITE"),
		ResolveConflictsOnUpdate: pulumi.String("OVERWRITE"),
		Tags:                     b.args.Tags.Named(b.name + "-" + addon.Name),
	}
	if addon.Version != "" {
		args.AddonVersion = pulumi.String(addon.Version)
	}
	configuration, err := addon.configuration(known)
	if err != nil {
		return nil, err
	}
	if configuration != "" {
		args.ConfigurationValues = pulumi.String(configuration)
	}
	needs = append([]pulumi.Resource{}, needs...)
	if known.serviceAccount != "" {
		trust := iampolicy.PodIdentityTrust(b.cluster.ClusterName, addonNamespace, known.serviceAccount)
		role, rights, err := b.role(addon.Name, "Add-on "+addon.Name+" of EKS cluster "+b.args.ClusterName, trust, []string{known.policy})
		if err != nil {
			return nil, fmt.Errorf("role: %w", err)
		}
		args.PodIdentityAssociations = eks.AddonPodIdentityAssociationArray{eks.AddonPodIdentityAssociationArgs{
			RoleArn:        role.Arn,
			ServiceAccount: pulumi.String(known.serviceAccount),
		}}
		needs = append(needs, rights...)
	}
	return eks.NewAddon(b.ctx, b.name+"-addon-"+addon.Name, args, b.child(pulumi.DependsOn(needs))...)
}

// configuration merges what is asked for over what is known, as JSON with
// sorted keys: the same text in every run.
func (a Addon) configuration(known addonTraits) (string, error) {
	merged := map[string]any{}
	for key, value := range known.configuration {
		merged[key] = value
	}
	for key, value := range a.Configuration {
		merged[key] = value
	}
	if len(merged) == 0 {
		return "", nil
	}
	text, err := json.Marshal(merged)
	if err != nil {
		return "", fmt.Errorf("configuration is not JSON: %w: use strings, numbers, booleans, lists and maps", err)
	}
	return string(text), nil
}

func lastPart(path string) string { return path[strings.LastIndex(path, "/")+1:] }
