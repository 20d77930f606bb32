package pulumitest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Type is what a provider does with a resource type.
type Type struct {
	// ID forms the id; nil gives "<name>-id".
	ID func(TypeArgs) string
	// Outputs are the outputs that the provider computes. An input of the same
	// name wins. What is missing here is unknown to the program under test.
	Outputs func(TypeArgs) resource.PropertyMap
	// Children are outputs of a remote component that refer to resources which it
	// makes itself: output name -> resource type.
	Children map[string]string
	// TagsInput is the input that takes the AWS tags; empty: not taggable.
	TagsInput string
	// Stateful things hold what nobody can make again, and are protected by default.
	Stateful bool
}

// TypeArgs is what a provider knows when it computes outputs.
type TypeArgs struct {
	Name   string
	ID     string
	Inputs map[string]any // plain Go values
}

// String returns a string input, or fallback when it is not set or unknown.
func (a TypeArgs) String(input, fallback string) string {
	if s, ok := a.Inputs[input].(string); ok && s != "" {
		return s
	}
	return fallback
}

const tagsInput = "tags"

// types is the table: what the real providers compute for every type that the
// programs register. Upstream: the attribute references in
// https://registry.terraform.io/providers/hashicorp/aws/5.100.0/docs, which
// pulumi-aws 6.83 is made from.
var types = map[string]Type{
	"aws:ec2/vpc:Vpc": {ID: prefixed("vpc"), TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("vpc", a), "ownerId": Account, "enableDnsSupport": true, "enableDnsHostnames": false,
			"defaultSecurityGroupId": awsID("sg", a.Name+"-default"), "defaultNetworkAclId": awsID("acl", a.Name),
			"mainRouteTableId": awsID("rtb", a.Name+"-main"), "defaultRouteTableId": awsID("rtb", a.Name+"-main"),
			"dhcpOptionsId": awsID("dopt", a.Name), "instanceTenancy": "default",
		})
	}},
	"aws:ec2/internetGateway:InternetGateway": {ID: prefixed("igw"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"arn": ec2ARN("internet-gateway", a), "ownerId": Account})
	}},
	"aws:ec2/subnet:Subnet": {ID: prefixed("subnet"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("subnet", a), "ownerId": Account, "availabilityZone": Region + "a", "availabilityZoneId": "euc1-az2",
		})
	}},
	"aws:ec2/eip:Eip": {ID: prefixed("eipalloc"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"allocationId": a.ID, "arn": ec2ARN("elastic-ip", a), "publicIp": "203.0.113.10",
			"publicDns": "ec2-203-0-113-10.compute.amazonaws.com", "publicIpv4Pool": "amazon", "networkBorderGroup": Region,
		})
	}},
	"aws:ec2/natGateway:NatGateway": {ID: prefixed("nat"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"associationId": awsID("eipassoc", a.Name), "networkInterfaceId": awsID("eni", a.Name),
			"publicIp": "203.0.113.10", "privateIp": "10.0.0.5",
		})
	}},
	"aws:ec2/routeTable:RouteTable": {ID: prefixed("rtb"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"arn": ec2ARN("route-table", a), "ownerId": Account})
	}},
	"aws:ec2/route:Route": {ID: prefixed("r-rtb"), Outputs: func(TypeArgs) resource.PropertyMap {
		return props(map[string]any{"origin": "CreateRoute", "state": "active"})
	}},
	"aws:ec2/routeTableAssociation:RouteTableAssociation": {ID: prefixed("rtbassoc")},
	"aws:ec2/vpcEndpoint:VpcEndpoint": {ID: prefixed("vpce"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("vpc-endpoint", a), "ownerId": Account, "state": "available",
			"prefixListId": awsID("pl", a.Name), "cidrBlocks": []any{"52.219.0.0/16"}, "vpcEndpointType": "Gateway",
			"dnsEntries": []any{}, "networkInterfaceIds": []any{},
		})
	}},
	"aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation": {ID: prefixed("a-vpce")},
	"aws:ec2/securityGroup:SecurityGroup": {ID: prefixed("sg"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("security-group", a), "ownerId": Account, "name": autoName(a), "description": "Managed by Pulumi",
		})
	}},
	"aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {ID: prefixed("sg"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("security-group", a), "ownerId": Account, "name": "default", "description": "default VPC security group",
		})
	}},
	"aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {ID: prefixed("sgr"), TagsInput: tagsInput, Outputs: securityGroupRule},
	"aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule":   {ID: prefixed("sgr"), TagsInput: tagsInput, Outputs: securityGroupRule},
	"aws:ec2/flowLog:FlowLog": {ID: prefixed("fl"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("vpc-flow-log", a), "logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600,
			"logFormat": "${version} ${account-id}",
		})
	}},
	"aws:ec2/vpcPeeringConnection:VpcPeeringConnection": {ID: prefixed("pcx"), TagsInput: tagsInput, Outputs: func(TypeArgs) resource.PropertyMap {
		return props(map[string]any{"acceptStatus": "active", "peerOwnerId": Account, "peerRegion": Region})
	}},
	"aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter": {
		ID: func(a TypeArgs) string { return a.String("vpcPeeringConnectionId", awsID("pcx", a.Name)) }, TagsInput: tagsInput,
		Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{
				"acceptStatus": "active", "vpcId": awsID("vpc", a.Name), "peerVpcId": awsID("vpc", a.Name+"-peer"),
				"peerOwnerId": Account, "peerRegion": Region,
			})
		}},
	"aws:ec2/peeringConnectionOptions:PeeringConnectionOptions": {
		ID: func(a TypeArgs) string { return a.String("vpcPeeringConnectionId", awsID("pcx", a.Name)) },
	},
	"aws:ec2/launchTemplate:LaunchTemplate": {ID: prefixed("lt"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"arn": ec2ARN("launch-template", a), "latestVersion": 1, "defaultVersion": 1, "name": autoName(a)})
	}},

	"aws:acm/certificate:Certificate": {ID: certificateARN, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": certificateARN(a), "domainName": "simulated.example", "keyAlgorithm": "RSA_2048", "status": "ISSUED", "type": "IMPORTED",
			"notBefore": "2026-01-01T00:00:00Z", "notAfter": "2027-01-01T00:00:00Z", "subjectAlternativeNames": []any{"simulated.example"},
		})
	}},
	"aws:ec2clientvpn/endpoint:Endpoint": {ID: prefixed("cvpn-endpoint"), TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": ec2ARN("client-vpn-endpoint", a), "dnsName": "*." + a.ID + ".prod.clientvpn." + Region + ".amazonaws.com",
			"selfServicePortalUrl": "", "disconnectOnSessionTimeout": false,
		})
	}},
	"aws:ec2clientvpn/networkAssociation:NetworkAssociation": {ID: prefixed("cvpn-assoc"), Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"associationId": a.ID, "vpcId": awsID("vpc", a.Name)})
	}},
	"aws:ec2clientvpn/authorizationRule:AuthorizationRule": {},
	"aws:ec2clientvpn/route:Route": {Outputs: func(TypeArgs) resource.PropertyMap {
		return props(map[string]any{"origin": "add-route", "type": "Nat"})
	}},

	"aws:s3/bucketV2:BucketV2": {ID: bucketName, TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": "arn:aws:s3:::" + bucketName(a), "bucket": bucketName(a), "region": Region, "hostedZoneId": "Z21DNDUVLTQW6Q",
			"bucketDomainName":         bucketName(a) + ".s3.amazonaws.com",
			"bucketRegionalDomainName": bucketName(a) + ".s3." + Region + ".amazonaws.com",
		})
	}},
	"aws:s3/bucketVersioningV2:BucketVersioningV2":                                               {ID: settingOfBucket},
	"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {ID: settingOfBucket},
	"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                                     {ID: settingOfBucket},
	"aws:s3/bucketPolicy:BucketPolicy":                                                           {ID: settingOfBucket},
	"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       {ID: settingOfBucket},

	"aws:cloudwatch/logGroup:LogGroup": {ID: autoName, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn":  fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", Region, Account, autoName(a)),
			"name": autoName(a), "logGroupClass": "STANDARD",
		})
	}},

	"aws:iam/role:Role": {ID: autoName, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": iamARN("role", a), "name": autoName(a), "uniqueId": "AROA" + digest(a.Name, 16), "path": "/",
			"maxSessionDuration": 3600, "createDate": "2026-01-01T00:00:00Z",
		})
	}},
	"aws:iam/policy:Policy": {ID: func(a TypeArgs) string { return iamARN("policy", a) }, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": iamARN("policy", a), "name": autoName(a), "path": "/", "policyId": "ANPA" + digest(a.Name, 16), "attachmentCount": 0,
		})
	}},
	"aws:iam/rolePolicy:RolePolicy": {Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"name": autoName(a)})
	}},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {},

	"aws:kms/key:Key": {ID: keyID, TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn":   fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", Region, Account, keyID(a)),
			"keyId": keyID(a), "policy": `{"Version":"2012-10-17"}`, "multiRegion": false, "rotationPeriodInDays": 365,
		})
	}},
	"aws:kms/alias:Alias": {ID: autoName, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn":  fmt.Sprintf("arn:aws:kms:%s:%s:%s", Region, Account, autoName(a)),
			"name": autoName(a), "targetKeyArn": fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", Region, Account, a.String("targetKeyId", "")),
		})
	}},

	"aws:secretsmanager/secret:Secret": {ID: secretARN, TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"arn": secretARN(a), "name": autoName(a), "policy": "", "replicas": []any{}})
	}},

	"aws:efs/fileSystem:FileSystem": {ID: prefixed("fs"), TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": "arn:aws:elasticfilesystem:" + Region + ":" + Account + ":file-system/" + a.ID, "dnsName": a.ID + ".efs." + Region + ".amazonaws.com",
			"creationToken": "pulumi-" + digest(a.Name, 26), "numberOfMountTargets": 0, "ownerId": Account, "name": a.Name,
			"availabilityZoneId": "", "availabilityZoneName": "", "kmsKeyId": "", "performanceMode": "generalPurpose",
			"provisionedThroughputInMibps": 0, "protection": map[string]any{"replicationOverwrite": "ENABLED"},
			"sizeInBytes": []any{map[string]any{"value": 6144}},
		})
	}},
	"aws:efs/mountTarget:MountTarget": {ID: prefixed("fsmt"), Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"ipAddress": "10.0.0.9", "dnsName": "fs.efs." + Region + ".amazonaws.com", "networkInterfaceId": awsID("eni", a.Name), "ownerId": Account,
			"fileSystemArn": "arn:aws:elasticfilesystem:" + Region + ":" + Account + ":file-system/fs", "availabilityZoneId": "euc1-az1",
			"availabilityZoneName": Region + "a", "mountTargetDnsName": Region + "a.fs.efs." + Region + ".amazonaws.com",
		})
	}},
	"aws:efs/accessPoint:AccessPoint": {ID: prefixed("fsap"), TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn":           "arn:aws:elasticfilesystem:" + Region + ":" + Account + ":access-point/" + a.ID,
			"fileSystemArn": "arn:aws:elasticfilesystem:" + Region + ":" + Account + ":file-system/fs", "ownerId": Account,
		})
	}},

	"aws:eks/cluster:Cluster": {ID: autoName, TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn":  fmt.Sprintf("arn:aws:eks:%s:%s:cluster/%s", Region, Account, autoName(a)),
			"name": autoName(a), "version": a.String("version", "1.36"), "platformVersion": "eks.1", "status": "ACTIVE",
			"endpoint":             "https://" + digest(a.Name, 32) + ".gr7." + Region + ".eks.amazonaws.com",
			"createdAt":            "2026-01-01T00:00:00Z",
			"certificateAuthority": map[string]any{"data": "c2ltdWxhdGVkIGNh"},
			"certificateAuthorities": []any{
				map[string]any{"data": "c2ltdWxhdGVkIGNh"},
			},
			"identities": []any{map[string]any{"oidcs": []any{map[string]any{
				"issuer": "https://oidc.eks." + Region + ".amazonaws.com/id/" + digest(a.Name, 32),
			}}}},
			"vpcConfig": map[string]any{
				"clusterSecurityGroupId": awsID("sg", a.Name+"-cluster"), "vpcId": a.String("vpcId", awsID("vpc", a.Name)),
				"subnetIds": []any{}, "endpointPrivateAccess": true, "endpointPublicAccess": false,
			},
			"roleArn": "arn:aws:iam::" + Account + ":role/" + a.Name + "-eksRole",
		})
	}},
	"aws:eks/nodeGroup:NodeGroup": {
		ID:        func(a TypeArgs) string { return a.String("clusterName", "cluster") + ":" + nodeGroupName(a) },
		TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{
				"arn":           fmt.Sprintf("arn:aws:eks:%s:%s:nodegroup/%s/%s", Region, Account, a.String("clusterName", "cluster"), nodeGroupName(a)),
				"nodeGroupName": nodeGroupName(a), "status": "ACTIVE", "capacityType": "ON_DEMAND", "diskSize": 20,
				"version": "1.36", "releaseVersion": "1.36.0-20260101",
				"resources": []any{map[string]any{"autoscalingGroups": []any{map[string]any{"name": "eks-" + nodeGroupName(a)}}}},
			})
		}},
	"aws:eks/addon:Addon": {
		ID: func(a TypeArgs) string {
			return a.String("clusterName", "cluster") + ":" + a.String("addonName", a.Name)
		},
		TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{
				"arn":          fmt.Sprintf("arn:aws:eks:%s:%s:addon/%s/%s", Region, Account, a.String("clusterName", "cluster"), a.String("addonName", a.Name)),
				"addonVersion": "v1.0.0-eksbuild.1", "createdAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z",
				"configurationValues": "",
			})
		}},
	"aws:eks/accessEntry:AccessEntry": {TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"accessEntryArn": fmt.Sprintf("arn:aws:eks:%s:%s:access-entry/%s", Region, Account, a.Name),
			"userName":       a.String("principalArn", ""), "createdAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z",
			"kubernetesGroups": []any{},
		})
	}},
	"aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {Outputs: func(TypeArgs) resource.PropertyMap {
		return props(map[string]any{"associatedAt": "2026-01-01T00:00:00Z", "modifiedAt": "2026-01-01T00:00:00Z"})
	}},
	"aws:eks/podIdentityAssociation:PodIdentityAssociation": {
		ID: func(a TypeArgs) string { return "a-" + digest(a.Name, 17) }, TagsInput: tagsInput,
		Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{
				"associationId": "a-" + digest(a.Name, 17), "externalId": "",
				"associationArn": fmt.Sprintf("arn:aws:eks:%s:%s:podidentityassociation/%s/a-%s",
					Region, Account, a.String("clusterName", "cluster"), digest(a.Name, 17)),
			})
		}},

	"aws:route53/zone:Zone": {ID: zoneID, TagsInput: tagsInput, Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": "arn:aws:route53:::hostedzone/" + zoneID(a), "zoneId": zoneID(a), "primaryNameServer": "ns-0.awsdns-00.com",
			"nameServers": []any{"ns-0.awsdns-00.com"}, "comment": "Managed by Pulumi",
		})
	}},
	"aws:route53/zoneAssociation:ZoneAssociation": {
		ID: func(a TypeArgs) string { return a.String("zoneId", "zone") + ":" + a.String("vpcId", "vpc") },
		Outputs: func(TypeArgs) resource.PropertyMap {
			return props(map[string]any{"owningAccount": Account, "vpcRegion": Region})
		}},
	"aws:route53/record:Record": {
		ID: func(a TypeArgs) string {
			return a.String("zoneId", "zone") + "_" + a.String("name", a.Name) + "_" + a.String("type", "A")
		},
		Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{"fqdn": a.String("name", a.Name)})
		}},

	"aws:lb/loadBalancer:LoadBalancer": {ID: loadBalancerARN, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": loadBalancerARN(a), "arnSuffix": "net/" + autoName(a) + "/" + digest(a.Name, 16), "name": autoName(a),
			"dnsName": autoName(a) + "-" + digest(a.Name, 16) + ".elb." + Region + ".amazonaws.com", "zoneId": "Z3F0SRJ5LGBH90",
			"vpcId": awsID("vpc", a.Name), "ipAddressType": "ipv4",
		})
	}},
	"aws:lb/targetGroup:TargetGroup": {ID: targetGroupARN, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{
			"arn": targetGroupARN(a), "arnSuffix": "targetgroup/" + autoName(a) + "/" + digest(a.Name, 16), "name": autoName(a),
			"loadBalancerArns": []any{}, "ipAddressType": "ipv4",
		})
	}},
	"aws:lb/listener:Listener": {ID: listenerARN, TagsInput: tagsInput, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"arn": listenerARN(a)})
	}},

	// Components that a provider builds: see lib/cluster.ts of pulumi-eks 2.8.1
	// and the helm/v4 Chart of pulumi-kubernetes.
	"eks:index:Cluster": {
		TagsInput: tagsInput, Stateful: true,
		Children: map[string]string{
			"eksCluster":           "aws:eks/cluster:Cluster",
			"clusterSecurityGroup": "aws:ec2/securityGroup:SecurityGroup",
			"nodeSecurityGroup":    "aws:ec2/securityGroup:SecurityGroup",
		},
		Outputs: func(a TypeArgs) resource.PropertyMap {
			name := a.String("name", a.Name+"-eksCluster")
			kubeconfig := map[string]any{
				"apiVersion": "v1", "kind": "Config", "current-context": "aws",
				"clusters": []any{map[string]any{"name": "kubernetes", "cluster": map[string]any{
					"server": "https://" + digest(name, 32) + ".gr7." + Region + ".eks.amazonaws.com", "certificate-authority-data": "c2ltdWxhdGVkIGNh",
				}}},
				"contexts": []any{map[string]any{"name": "aws", "context": map[string]any{"cluster": "kubernetes", "user": "aws"}}},
				"users": []any{map[string]any{"name": "aws", "user": map[string]any{"exec": map[string]any{
					"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws",
					"args": []any{"eks", "get-token", "--cluster-name", name},
				}}}},
			}
			// Maps of strings and lists alone always have a JSON form.
			text, _ := json.Marshal(kubeconfig)
			return props(map[string]any{"kubeconfig": kubeconfig, "kubeconfigJson": string(text)})
		},
	},
	"kubernetes:helm.sh/v4:Chart": {Outputs: func(TypeArgs) resource.PropertyMap {
		return props(map[string]any{"resources": []any{}})
	}},

	"kubernetes:core/v1:Namespace": {ID: objectName, Outputs: kubernetesObject},
	"kubernetes:core/v1:ConfigMap": {ID: objectName, Outputs: kubernetesObject},
	"kubernetes:core/v1:Secret":    {ID: objectName, Outputs: kubernetesObject},
	// Objects of Flux's own types, as apiextensions.CustomResource makes them.
	"kubernetes:source.toolkit.fluxcd.io/v1:GitRepository":    {ID: objectName, Outputs: kubernetesObject},
	"kubernetes:kustomize.toolkit.fluxcd.io/v1:Kustomization": {ID: objectName, Outputs: kubernetesObject},
	"kubernetes:core/v1:PersistentVolume":                     {ID: objectName, Outputs: kubernetesObject},

	// Ids are paths inside Vault: see terraform-provider-vault 4.8.
	"vault:index/mount:Mount": {ID: vaultPath("", "path"), Stateful: true, Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"accessor": "mount_" + digest(a.Name, 8)})
	}},
	"vault:index/authBackend:AuthBackend": {ID: vaultPath("", "path"), Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"accessor": "auth_" + digest(a.Name, 8)})
	}},
	"vault:jwt/authBackend:AuthBackend": {ID: vaultPath("", "path"), Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"accessor": "auth_jwt_" + digest(a.Name, 8)})
	}},
	"vault:index/policy:Policy":                                      {ID: vaultPath("", "name")},
	"vault:kubernetes/authBackendConfig:AuthBackendConfig":           {ID: vaultPath("auth/", "backend", "config")},
	"vault:kubernetes/authBackendRole:AuthBackendRole":               {ID: vaultPath("auth/", "backend", "role", "roleName")},
	"vault:jwt/authBackendRole:AuthBackendRole":                      {ID: vaultPath("auth/", "backend", "role", "roleName")},
	"vault:aws/authBackendClient:AuthBackendClient":                  {ID: vaultPath("auth/", "backend", "config/client")},
	"vault:aws/authBackendRole:AuthBackendRole":                      {ID: vaultPath("auth/", "backend", "role", "role")},
	"vault:database/secretBackendConnection:SecretBackendConnection": {ID: vaultPath("", "backend", "config", "name")},
	"vault:database/secretBackendRole:SecretBackendRole":             {ID: vaultPath("", "backend", "roles", "name")},
	"vault:appRole/authBackendRole:AuthBackendRole": {
		ID: vaultPath("auth/", "backend", "role", "roleName"),
		Outputs: func(a TypeArgs) resource.PropertyMap {
			return props(map[string]any{"roleId": keyID(a)})
		}},

	"tls:index/privateKey:PrivateKey": {Outputs: func(a TypeArgs) resource.PropertyMap {
		out := props(map[string]any{
			"publicKeyPem": "simulated public key of " + a.Name, "publicKeyOpenssh": "simulated public key of " + a.Name,
			"publicKeyFingerprintMd5": "00:00", "publicKeyFingerprintSha256": "SHA256:0",
		})
		for _, key := range []resource.PropertyKey{"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"} {
			out[key] = resource.MakeSecret(resource.NewProperty("simulated private key of " + a.Name))
		}
		return out
	}},
	"tls:index/selfSignedCert:SelfSignedCert": {Outputs: certificate},
	"tls:index/certRequest:CertRequest": {Outputs: func(a TypeArgs) resource.PropertyMap {
		return props(map[string]any{"certRequestPem": "simulated request " + a.Name, "keyAlgorithm": "RSA"})
	}},
	"tls:index/locallySignedCert:LocallySignedCert": {Outputs: certificate},
}

// vaultPath joins a path inside Vault: the first part is the input of the mount, then
// literals and inputs by turns.
func vaultPath(prefix string, parts ...string) func(TypeArgs) string {
	return func(a TypeArgs) string {
		path := prefix + a.String(parts[0], a.Name)
		for i, part := range parts[1:] {
			if i%2 == 1 {
				part = a.String(part, a.Name)
			}
			path += "/" + part
		}
		return path
	}
}

func securityGroupRule(a TypeArgs) resource.PropertyMap {
	return props(map[string]any{"arn": ec2ARN("security-group-rule", a), "securityGroupRuleId": a.ID})
}

func certificate(a TypeArgs) resource.PropertyMap {
	return props(map[string]any{
		"certPem": "simulated certificate " + a.Name, "validityStartTime": "2026-01-01T00:00:00Z",
		"validityEndTime": "2027-01-01T00:00:00Z", "readyForRenewal": false, "keyAlgorithm": "RSA", "caKeyAlgorithm": "RSA",
	})
}

func kubernetesObject(TypeArgs) resource.PropertyMap {
	return props(map[string]any{"apiVersion": "v1"})
}

func objectName(a TypeArgs) string {
	metadata, _ := a.Inputs["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	if name == "" {
		name = a.Name
	}
	if namespace, _ := metadata["namespace"].(string); namespace != "" {
		return namespace + "/" + name
	}
	return name
}

// autoName is the name input, or what the provider makes of the resource's name.
func autoName(a TypeArgs) string { return a.String("name", a.Name+"-"+digest(a.Name, 7)) }

func nodeGroupName(a TypeArgs) string {
	if prefix := a.String("nodeGroupNamePrefix", ""); prefix != "" {
		return prefix + digest(a.Name, 7)
	}
	return a.String("nodeGroupName", a.Name+"-"+digest(a.Name, 7))
}

func certificateARN(a TypeArgs) string {
	return fmt.Sprintf("arn:aws:acm:%s:%s:certificate/%s", Region, Account, keyID(a))
}

func bucketName(a TypeArgs) string { return a.String("bucket", a.Name+"-"+digest(a.Name, 7)) }

func settingOfBucket(a TypeArgs) string { return a.String("bucket", a.Name) }

func prefixed(prefix string) func(TypeArgs) string {
	return func(a TypeArgs) string { return awsID(prefix, a.Name) }
}

func awsID(prefix, name string) string { return prefix + "-" + digest(name, 17) }

func keyID(a TypeArgs) string {
	d := digest(a.Name, 32)
	return d[:8] + "-" + d[8:12] + "-" + d[12:16] + "-" + d[16:20] + "-" + d[20:]
}

func secretARN(a TypeArgs) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s-%s", Region, Account, autoName(a), digest(a.Name, 6))
}

func zoneID(a TypeArgs) string { return "Z" + digest(a.Name, 20) }

func loadBalancerARN(a TypeArgs) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:loadbalancer/net/%s/%s", Region, Account, autoName(a), digest(a.Name, 16))
}

func targetGroupARN(a TypeArgs) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:targetgroup/%s/%s", Region, Account, autoName(a), digest(a.Name, 16))
}

func listenerARN(a TypeArgs) string {
	return fmt.Sprintf("arn:aws:elasticloadbalancing:%s:%s:listener/net/%s", Region, Account, digest(a.Name, 16))
}

func ec2ARN(kind string, a TypeArgs) string {
	return fmt.Sprintf("arn:aws:ec2:%s:%s:%s/%s", Region, Account, kind, a.ID)
}

func iamARN(kind string, a TypeArgs) string {
	return fmt.Sprintf("arn:aws:iam::%s:%s/%s", Account, kind, autoName(a))
}

func digest(s string, length int) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])[:length]
}

func props(m map[string]any) resource.PropertyMap { return resource.NewPropertyMapFromMap(m) }
