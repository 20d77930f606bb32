package ekscluster_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func TestNodeGroups(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	for name, want := range map[string]map[string]any{
		"tooling-general": {
			"nodeGroupNamePrefix": "tooling-general-", "amiType": "AL2023_x86_64_STANDARD", "capacityType": "ON_DEMAND",
			"instanceTypes": []any{"m7i.large", "m6i.large"}, "labels": map[string]any{},
			"scalingConfig": map[string]any{"minSize": 2.0, "maxSize": 6.0, "desiredSize": 3.0},
		},
		"tooling-jobs": {
			"nodeGroupNamePrefix": "tooling-jobs-", "amiType": "AL2023_ARM_64_STANDARD", "capacityType": "SPOT",
			"instanceTypes": []any{"m7g.large"}, "labels": map[string]any{"strongroom.dev/use": "jobs"},
			"scalingConfig": map[string]any{"minSize": 0.0, "maxSize": 4.0, "desiredSize": 0.0},
		},
	} {
		group := g.Get(t, nodeGroupType, name)
		for input, value := range want {
			require.Equal(t, value, group.Get(input), "%s: %s", group, input)
		}
		require.Equal(t, "tooling", group.Get("clusterName"))
		require.Equal(t, "1.36", group.Get("version"), "nodes follow the control plane in the same up")
		require.Equal(t, subnetIDs(g), group.Get("subnetIds"))
		require.Equal(t, g.Get(t, roleType, "tooling-node-role").State["arn"].StringValue(), group.Get("nodeRoleArn"))
		require.Equal(t, g.Get(t, templateType, name+"-template").ID, group.Get("launchTemplate.id"))
		require.Equal(t, "1", group.Get("launchTemplate.version"), "a new version of the template reaches the nodes")
		require.Nil(t, group.Get("remoteAccess"), "nobody logs in to a node")
		require.Nil(t, group.Get("diskSize"), "EKS refuses it beside a launch template")
		require.Equal(t, 33.0, group.Get("updateConfig.maxUnavailablePercentage"))
	}
}

func TestLaunchTemplates(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	for name, size := range map[string]float64{"tooling-general-template": 50, "tooling-jobs-template": 100} {
		template := g.Get(t, templateType, name)
		require.Equal(t, map[string]any{
			"volumeType": "gp3", "volumeSize": size, "encrypted": "true", "deleteOnTermination": "true",
		}, template.Get("blockDeviceMappings.0.ebs"))
		require.Equal(t, "/dev/xvda", template.Get("blockDeviceMappings.0.deviceName"))
		require.Equal(t, map[string]any{
			"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0,
		}, template.Get("metadataOptions"))
		require.Nil(t, template.Get("imageId"), "EKS chooses the image, and updates it")
		require.Nil(t, template.Get("vpcSecurityGroupIds"), "EKS gives nodes the cluster's group")
		require.Nil(t, template.Get("userData"))
		specifications, ok := template.Get("tagSpecifications").([]any)
		require.True(t, ok)
		require.Len(t, specifications, 3, "instances, volumes and interfaces")
		for _, s := range specifications {
			tags, _ := s.(map[string]any)["tags"].(map[string]any)
			require.Equal(t, "test", tags["environment"])
		}
	}
}

// A node can join and pull images. Whatever else runs on it has a role of its own.
func TestNodeRole(t *testing.T) {
	g := pulumitest.Run(t, tooling(nil), pulumitest.Options{})
	role := g.Get(t, roleType, "tooling-node-role")
	require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{
		"Sid": "Service", "Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": ["sts:AssumeRole"]
	}]}`, role.Get("assumeRolePolicy").(string))
	var policies []any
	for _, attachment := range g.OfType(attachmentType) {
		if attachment.Get("role") == role.State["name"].StringValue() {
			policies = append(policies, attachment.Get("policyArn"))
		}
	}
	require.Equal(t, []any{
		"arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly", "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy",
	}, policies)
}
