package stacks

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/workloadrole"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
)

// roles are the IAM roles of what Flux installs, by namespace and service account as
// gitops/ has them. The pods get them through EKS Pod Identity.
func (h *handover) roles(ctx *pulumi.Context) ([]pulumi.Resource, error) {
	account := aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Provider(h.aws)).AccountId()
	partition := aws.GetPartitionOutput(ctx, aws.GetPartitionOutputArgs{}, pulumi.Provider(h.aws)).Partition()
	arn := func(service, resource string) pulumi.StringInput {
		return pulumi.Sprintf("arn:%s:%s:%s:%s:%s", partition, service, h.cfg.Region, account, resource)
	}
	workloads := []struct {
		name, namespace, serviceAccount string
		policy                          *iampolicy.Document
	}{
		{"load-balancer-controller", "kube-system", "aws-load-balancer-controller", h.loadBalancerPolicy()},
		{"external-secrets", "external-secrets", "external-secrets", &iampolicy.Document{Statements: []iampolicy.Statement{{
			Sid:     "ReadOwnSecrets",
			Actions: []string{"secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"},
			// Secrets that are meant for this cluster are named so; Vault's recovery keys
			// are not.
			Resources: []pulumi.StringInput{arn("secretsmanager", "secret:"+h.cfg.Name+"/kubernetes/*")},
		}}}},
	}
	if h.cfg.Role == Tooling {
		workloads = append(workloads, struct {
			name, namespace, serviceAccount string
			policy                          *iampolicy.Document
		}{"gitlab-job", "gitlab-runner", "gitlab-job", &iampolicy.Document{Statements: []iampolicy.Statement{{
			Sid:         "LogIn",
			Actions:     []string{"ecr:GetAuthorizationToken"},
			AnyResource: "the action takes no resource, the token is for whatever the caller may do",
		}, {
			Sid: "PushAndPull",
			Actions: []string{
				"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:GetDownloadUrlForLayer",
				"ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
			},
			Resources: []pulumi.StringInput{arn("ecr", "repository/strongroom/*")},
		}}}})
	}
	var made []pulumi.Resource
	for _, w := range workloads {
		role, err := workloadrole.New(ctx, h.cfg.Name+"-"+w.name, &workloadrole.Args{
			ClusterName:    h.cluster.ClusterName,
			Namespace:      w.namespace,
			ServiceAccount: w.serviceAccount,
			Policy:         w.policy,
			Tags:           h.cfg.Tags,
		}, pulumi.Providers(h.aws))
		if err != nil {
			return nil, err
		}
		made = append(made, role)
	}
	return made, nil
}

// loadBalancerPolicy is what the AWS Load Balancer Controller needs for
// TargetGroupBindings alone: it makes no load balancer here, Pulumi does.
// https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/targetgroupbinding/targetgroupbinding/
func (h *handover) loadBalancerPolicy() *iampolicy.Document {
	document := &iampolicy.Document{Statements: []iampolicy.Statement{{
		Sid: "Look",
		Actions: []string{
			"ec2:DescribeAvailabilityZones", "ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs",
			"elasticloadbalancing:DescribeTargetGroups", "elasticloadbalancing:DescribeTargetHealth",
		},
		AnyResource: "the actions take no resource",
	}}}
	if h.vaultTargets != nil {
		document.Statements = append(document.Statements, iampolicy.Statement{
			Sid:       "JoinVault",
			Actions:   []string{"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"},
			Resources: []pulumi.StringInput{h.vaultTargets},
		})
	}
	return document
}
