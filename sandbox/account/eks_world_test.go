package account

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// eksWorld is an account with what a cluster needs: a VPC with subnets in two
// zones, a security group, roles and a key.
type eksWorld struct {
	*world
	vpc, subnetA, subnetB, group     *Object
	clusterRole, nodeRole, podRole   *Object
	clusterPolicy, worker, pull, cni *Object // attachments
	key                              *Object
}

const (
	serviceTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":[%q]},"Action":["sts:AssumeRole"]}]}`
	podTrust     = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"pods.eks.amazonaws.com"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
)

func newEKSWorld(t *testing.T) *eksWorld {
	t.Helper()
	return newEKSWorldOn(t, newWorld(t))
}

func newEKSWorldOn(t *testing.T, plain *world) *eksWorld {
	t.Helper()
	w := &eksWorld{world: plain}
	w.vpc = w.world.vpc("10.0.0.0/16")
	w.subnetA = w.subnet(w.vpc, "10.0.0.0/24", "a")
	w.subnetB = w.subnet(w.vpc, "10.0.1.0/24", "b")
	w.group = w.create(typeSecurityGroup, m{"vpcId": w.vpc.ID, "name": "control-plane"})
	w.clusterRole = w.role("cluster", fmt.Sprintf(serviceTrust, "eks.amazonaws.com"))
	w.nodeRole = w.role("node", fmt.Sprintf(serviceTrust, "ec2.amazonaws.com"))
	w.podRole = w.role("pod", podTrust)
	w.clusterPolicy = w.allow(w.clusterRole, "AmazonEKSClusterPolicy")
	w.worker = w.allow(w.nodeRole, "AmazonEKSWorkerNodePolicy")
	w.pull = w.allow(w.nodeRole, "AmazonEC2ContainerRegistryPullOnly")
	w.cni = w.allow(w.podRole, "AmazonEKS_CNI_Policy")
	w.key = w.create(typeKey, m{"description": "cluster secrets"})
	return w
}

func (w *eksWorld) role(name, trust string) *Object {
	w.t.Helper()
	return w.create(typeRole, m{"name": name, "assumeRolePolicy": trust})
}

func (w *eksWorld) allow(role *Object, policy string) *Object {
	w.t.Helper()
	return w.create(typeRolePolicyAttachment, m{"role": role.ID, "policyArn": awsPolicyPrefix + policy})
}

// without takes something away and changes no inputs.
func (w *eksWorld) without(o *Object) m {
	w.t.Helper()
	require.NoError(w.t, w.delete(o))
	return nil
}

func (w *eksWorld) clusterInputs(changes m) m {
	return with(m{
		"name": "tooling", "roleArn": w.clusterRole.Outputs["arn"], "version": "1.34",
		"vpcConfig": m{
			"subnetIds": l(w.subnetA.ID, w.subnetB.ID), "securityGroupIds": l(w.group.ID),
			"endpointPrivateAccess": true, "endpointPublicAccess": false,
		},
		"accessConfig":           m{"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": true},
		"encryptionConfig":       m{"provider": m{"keyArn": w.key.Outputs["arn"]}, "resources": l("secrets")},
		"enabledClusterLogTypes": l("audit", "api"),
		"tags":                   m{"Name": "tooling"},
	}, changes)
}

// vpcConfig is the cluster's, with some of it changed.
func (w *eksWorld) vpcConfig(changes m) m {
	config, _ := w.clusterInputs(nil)["vpcConfig"].(m)
	return with(config, changes)
}

func (w *eksWorld) cluster() *Object {
	w.t.Helper()
	w.create(typeLogGroup, m{"name": "/aws/eks/tooling/cluster"})
	return w.create(typeCluster, w.clusterInputs(nil))
}

// network gives the cluster the add-ons without which no node becomes ready.
func (w *eksWorld) network() (cni, agent *Object) {
	w.t.Helper()
	agent = w.create(typeAddon, m{"clusterName": "tooling", "addonName": "eks-pod-identity-agent"})
	cni = w.create(typeAddon, m{
		"clusterName": "tooling", "addonName": "vpc-cni",
		"configurationValues":     `{"enableNetworkPolicy":"true"}`,
		"podIdentityAssociations": l(m{"roleArn": w.podRole.Outputs["arn"], "serviceAccount": "aws-node"}),
	})
	return cni, agent
}

func (w *eksWorld) template(changes m) *Object {
	w.t.Helper()
	return w.create(typeLaunchTemplate, with(m{
		"description":         "nodes",
		"metadataOptions":     m{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
		"blockDeviceMappings": l(m{"deviceName": "/dev/xvda", "ebs": m{"volumeType": "gp3", "volumeSize": 50, "encrypted": "true", "deleteOnTermination": "true"}}),
		"tagSpecifications":   l(m{"resourceType": "instance", "tags": m{"Name": "node"}}),
	}, changes))
}

func (w *eksWorld) nodeGroupInputs(changes m) m {
	return with(m{
		"clusterName": "tooling", "nodeGroupNamePrefix": "tooling-system-", "nodeRoleArn": w.nodeRole.Outputs["arn"],
		"subnetIds": l(w.subnetA.ID, w.subnetB.ID), "version": "1.34", "amiType": "AL2023_x86_64_STANDARD",
		"capacityType": "ON_DEMAND", "instanceTypes": l("m7i.large"),
		"scalingConfig": m{"minSize": 1, "maxSize": 5, "desiredSize": 3},
		"updateConfig":  m{"maxUnavailablePercentage": 33},
	}, changes)
}

func (w *eksWorld) nodeGroup(changes m) *Object {
	w.t.Helper()
	return w.create(typeNodeGroup, w.nodeGroupInputs(changes))
}

// with returns a copy of properties with some changed; nil takes one away.
func with(properties, changes m) m {
	out := cloneMap(properties)
	for key, value := range changes {
		if value == nil {
			delete(out, key)
		} else {
			out[key] = value
		}
	}
	return out
}

// settled checks that reading an object and comparing it with the inputs that it
// was made with finds no change, also where the program leaves to AWS what AWS
// has chosen.
func (w *world) settled(o *Object) {
	w.t.Helper()
	t, err := Lookup(o.Type)
	require.NoError(w.t, err)
	current := w.read(o)
	require.Equal(w.t, o.Outputs, current.Outputs)
	again, failures := t.Check(current.Inputs, o.Inputs, "thing", []byte("another seed"))
	require.Empty(w.t, failures)
	require.Empty(w.t, t.Diff(current.Inputs, current.Outputs, again))
	outputs, err := w.a.Update(w.t.Context(), o.Type, o.ID, again)
	require.NoError(w.t, err)
	for _, property := range []string{"modifiedAt"} { // the time of the update
		delete(outputs, property)
		delete(current.Outputs, property)
	}
	require.Equal(w.t, current.Outputs, outputs, "an update that changes nothing")
}

// diff compares an object with inputs of which some are changed.
func (w *world) diff(o *Object, changes m) Diff {
	w.t.Helper()
	t, err := Lookup(o.Type)
	require.NoError(w.t, err)
	current := w.read(o)
	checked, failures := t.Check(current.Inputs, with(o.Inputs, changes), "thing", []byte("seed"))
	require.Empty(w.t, failures)
	return t.Diff(current.Inputs, current.Outputs, checked)
}
