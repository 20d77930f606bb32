package ekscluster

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/naming"
)

// maxPrefix is what is left of the 63 characters of a node group's name before
// the 26 that the provider appends.
const maxPrefix = 37

// unavailablePercentage is how many nodes of a group an update may take away at
// once: a third, which is one zone of three.
const unavailablePercentage = 33

// nodeGroups makes the groups once everything is there that nodes need to
// become ready: the role's rights and the first add-ons.
func (b *builder) nodeGroups(identity nodeIdentity, first []pulumi.Resource) ([]pulumi.Resource, error) {
	needs := append(append([]pulumi.Resource{}, identity.rights...), first...)
	var made []pulumi.Resource
	for _, group := range b.args.NodeGroups {
		node, err := b.nodeGroup(group, identity, needs)
		if err != nil {
			return nil, fmt.Errorf("node group %q: %w", group.Name, err)
		}
		made = append(made, node)
	}
	return made, nil
}

// nodeGroup makes one group. What cannot be changed in place (instance types,
// subnets, capacity) makes a new group, which is ready before the old one is
// drained: therefore a prefix and not a name.
func (b *builder) nodeGroup(group NodeGroup, identity nodeIdentity, needs []pulumi.Resource) (*eks.NodeGroup, error) {
	name := b.name + "-" + group.Name
	template, err := b.launchTemplate(name, group)
	if err != nil {
		return nil, fmt.Errorf("launch template: %w", err)
	}
	labels := pulumi.StringMap{}
	for key, value := range group.Labels {
		labels[key] = pulumi.String(value)
	}
	amiType, err := group.amiType()
	if err != nil {
		return nil, err
	}
	return eks.NewNodeGroup(b.ctx, name, &eks.NodeGroupArgs{
		ClusterName:         b.cluster.ClusterName,
		NodeGroupNamePrefix: pulumi.String(naming.Limit(b.args.ClusterName+"-"+group.Name, maxPrefix-1) + "-"),
		NodeRoleArn:         identity.role.Arn,
		SubnetIds:           b.args.PrivateSubnetIDs,
		// The nodes follow the control plane, in the same up.
		Version:       pulumi.String(b.args.Version),
		AmiType:       pulumi.String(amiType),
		CapacityType:  pulumi.String(group.capacityType()),
		InstanceTypes: pulumi.ToStringArray(group.InstanceTypes),
		ScalingConfig: eks.NodeGroupScalingConfigArgs{
			MinSize:     pulumi.Int(group.Min),
			MaxSize:     pulumi.Int(group.Max),
			DesiredSize: pulumi.Int(group.Desired),
		},
		UpdateConfig: eks.NodeGroupUpdateConfigArgs{MaxUnavailablePercentage: pulumi.Int(unavailablePercentage)},
		LaunchTemplate: eks.NodeGroupLaunchTemplateArgs{
			Id:      template.ID().ToStringOutput(),
			Version: pulumi.Sprintf("%d", template.LatestVersion),
		},
		Labels: labels,
		Tags:   b.args.Tags.Named(name),
	}, b.child(pulumi.DependsOn(needs))...)
}

// launchTemplate is what EKS does not set by itself: an encrypted disk, and
// instance metadata that needs a session token and answers only to the node.
// With a hop limit of 1 a pod cannot get at the node's role; pods on the node's
// network still can.
//
// It names no image and no security group: EKS then takes its own image for the
// version, and the cluster's security group.
func (b *builder) launchTemplate(name string, group NodeGroup) (*ec2.LaunchTemplate, error) {
	tags := b.args.Tags.Named(b.args.ClusterName + "-" + group.Name)
	specifications := ec2.LaunchTemplateTagSpecificationArray{}
	// Tags of a node group do not reach what it launches.
	for _, kind := range []string{"instance", "volume", "network-interface"} {
		specifications = append(specifications, ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String(kind),
			Tags:         tags,
		})
	}
	return ec2.NewLaunchTemplate(b.ctx, name+"-template", &ec2.LaunchTemplateArgs{
		Description: pulumi.String("Nodes " + group.Name + " of EKS cluster " + b.args.ClusterName),
		MetadataOptions: ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint:            pulumi.String("enabled"),
			HttpTokens:              pulumi.String("required"),
			HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{ec2.LaunchTemplateBlockDeviceMappingArgs{
			// The root device of Amazon Linux 2023.
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType:          pulumi.String("gp3"),
				VolumeSize:          pulumi.Int(group.diskGiB()),
				Encrypted:           pulumi.String("true"),
				DeleteOnTermination: pulumi.String("true"),
			},
		}},
		TagSpecifications: specifications,
		Tags:              b.args.Tags.Named(name),
	}, b.child()...)
}
