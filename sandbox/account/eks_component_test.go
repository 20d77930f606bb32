package account

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// What @pulumi/eks 2.8.1 sends for the arguments of components/ekscluster, as
// recorded from it with mocks, and what that component adds: the account takes
// it all, finds nothing to change, and lets it go in reverse order, to the last
// object.
func TestWhatTheComponentMakesIsTaken(t *testing.T) {
	w := newWorld(t)
	var made []*Object
	add := func(typ string, inputs m) *Object {
		o := w.create(typ, inputs)
		made = append(made, o)
		return o
	}
	vpc := add(typeVPC, m{"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": true})
	subnets := l(
		add(typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": "10.0.0.0/20", "availabilityZone": testRegion + "a"}).ID,
		add(typeSubnet, m{"vpcId": vpc.ID, "cidrBlock": "10.0.16.0/20", "availabilityZone": testRegion + "b"}).ID,
	)
	key := add(typeKey, m{"description": "Secrets of EKS cluster tooling", "enableKeyRotation": true})
	add(typeLogGroup, m{"name": "/aws/eks/tooling/cluster", "retentionInDays": 90})
	role := func(trust string, policies ...string) *Object {
		o := add(typeRole, m{"assumeRolePolicy": trust})
		for _, policy := range policies {
			add(typeRolePolicyAttachment, m{"role": o.ID, "policyArn": awsPolicyPrefix + policy})
		}
		return o
	}
	nodeRole := role(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`,
		"AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")

	// @pulumi/eks
	eksRole := role(`{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"Service":["eks.amazonaws.com"]}}]}`,
		"AmazonEKSClusterPolicy")
	clusterGroup := add(typeSecurityGroup, m{"vpcId": vpc.ID, "description": "Managed by Pulumi", "revokeRulesOnDelete": true, "tags": m{"Name": "c-eks-eksClusterSecurityGroup"}})
	rule := func(inputs m) { add(typeSecurityGroupRule, inputs) }
	everywhere := m{"type": "egress", "description": "Allow internet access.", "fromPort": 0, "toPort": 0, "protocol": "-1", "cidrBlocks": l("0.0.0.0/0")}
	rule(with(everywhere, m{"securityGroupId": clusterGroup.ID}))
	add(typeCluster, m{
		"name": "tooling", "version": "1.36", "roleArn": eksRole.Outputs["arn"], "enabledClusterLogTypes": l("api", "audit"),
		"accessConfig":     m{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig": m{"provider": m{"keyArn": key.Outputs["arn"]}, "resources": l("secrets")},
		"tags":             m{"Name": "tooling"},
		"vpcConfig":        m{"endpointPrivateAccess": true, "endpointPublicAccess": false, "securityGroupIds": l(clusterGroup.ID), "subnetIds": subnets},
	})
	add(typeAccessEntry, m{"clusterName": "tooling", "principalArn": nodeRole.Outputs["arn"], "type": "EC2_LINUX"})
	nodeGroup := add(typeSecurityGroup, m{"vpcId": vpc.ID, "description": "Managed by Pulumi", "revokeRulesOnDelete": true,
		"tags": m{"Name": "c-eks-nodeSecurityGroup", "kubernetes.io/cluster/tooling": "owned"}})
	rule(m{"type": "ingress", "description": "Allow nodes to communicate with each other", "fromPort": 0, "toPort": 0, "protocol": "-1",
		"securityGroupId": nodeGroup.ID, "self": true})
	for _, ports := range []struct {
		from, to      int
		group, source *Object
		whatItSays    string
	}{
		{1025, 65535, nodeGroup, clusterGroup, "Allow worker Kubelets and pods to receive communication from the cluster control plane"},
		{443, 443, nodeGroup, clusterGroup, "Allow pods running extension API servers on port 443 to receive communication from cluster control plane"},
		{443, 443, clusterGroup, nodeGroup, "Allow pods to communicate with the cluster API Server"},
	} {
		rule(m{"type": "ingress", "description": ports.whatItSays, "fromPort": ports.from, "toPort": ports.to, "protocol": "tcp",
			"securityGroupId": ports.group.ID, "sourceSecurityGroupId": ports.source.ID})
	}
	rule(with(everywhere, m{"securityGroupId": nodeGroup.ID}))

	// components/ekscluster
	addon := func(name, configuration, serviceAccount, policy string) {
		inputs := m{"clusterName": "tooling", "addonName": name, "resolveConflictsOnCreate": "OVERWRITE", "resolveConflictsOnUpdate": "OVERWRITE"}
		if configuration != "" {
			inputs["configurationValues"] = configuration
		}
		if serviceAccount != "" {
			inputs["podIdentityAssociations"] = l(m{"serviceAccount": serviceAccount, "roleArn": role(podTrust, policy).Outputs["arn"]})
		}
		add(typeAddon, inputs)
	}
	addon("vpc-cni", `{"enableNetworkPolicy":"true"}`, "aws-node", "AmazonEKS_CNI_Policy")
	addon("kube-proxy", "", "", "")
	addon("eks-pod-identity-agent", "", "", "")
	template := add(typeLaunchTemplate, m{
		"metadataOptions":     m{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
		"blockDeviceMappings": l(m{"deviceName": "/dev/xvda", "ebs": m{"volumeType": "gp3", "volumeSize": 50, "encrypted": "true", "deleteOnTermination": "true"}}),
		"tagSpecifications":   l(m{"resourceType": "instance", "tags": m{"Name": "tooling-system"}}, m{"resourceType": "network-interface", "tags": m{"Name": "tooling-system"}}),
	})
	add(typeNodeGroup, m{
		"clusterName": "tooling", "nodeGroupNamePrefix": "tooling-system-", "nodeRoleArn": nodeRole.Outputs["arn"], "subnetIds": subnets,
		"version": "1.36", "amiType": "AL2023_x86_64_STANDARD", "capacityType": "ON_DEMAND", "instanceTypes": l("m7i.large"),
		"scalingConfig": m{"minSize": 2, "maxSize": 4, "desiredSize": 2}, "updateConfig": m{"maxUnavailablePercentage": 33},
		"launchTemplate": m{"id": template.ID, "version": "1"}, "labels": m{"role": "system"},
	})
	addon("coredns", "", "", "")
	addon("aws-ebs-csi-driver", "", "ebs-csi-controller-sa", "service-role/AmazonEBSCSIDriverPolicy")
	addon("aws-efs-csi-driver", "", "efs-csi-controller-sa", "service-role/AmazonEFSCSIDriverPolicy")
	add(typePodIdentityAssociation, m{"clusterName": "tooling", "namespace": "vault", "serviceAccount": "vault", "roleArn": role(podTrust).Outputs["arn"]})

	for _, o := range made {
		current := w.read(o)
		typ, err := Lookup(o.Type)
		require.NoError(t, err)
		again, failures := typ.Check(current.Inputs, o.Inputs, "thing", []byte("seed"))
		require.Empty(t, failures)
		require.Empty(t, typ.Diff(current.Inputs, current.Outputs, again), o.ID)
	}
	for _, o := range slices.Backward(made) {
		require.NoError(t, w.delete(o), o.ID)
	}
	require.Empty(t, w.a.Objects())
	require.Empty(t, w.cp.running)
}
