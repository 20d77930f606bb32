package iampolicy

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// PodIdentityTrust is the trust policy of a role that the pods of one service
// account in one cluster get through EKS Pod Identity. Pod Identity requests
// sessions with tags; the conditions on them keep everyone who may create an
// association from handing the role to another service account.
//
// Upstream: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html,
// the tags: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html.
func PodIdentityTrust(clusterName pulumi.StringInput, namespace, serviceAccount string) Document {
	return Document{Statements: []Statement{{
		Sid:        "EksPodIdentity",
		Principals: []Principal{Services("pods.eks.amazonaws.com")},
		Actions:    []string{"sts:AssumeRole", "sts:TagSession"},
		Conditions: []Condition{
			StringEquals("aws:RequestTag/eks-cluster-name", clusterName),
			StringEquals("aws:RequestTag/kubernetes-namespace", pulumi.String(namespace)),
			StringEquals("aws:RequestTag/kubernetes-service-account", pulumi.String(serviceAccount)),
		},
	}}}
}

// ServiceTrust is the trust policy of a role that an AWS service assumes, such
// as "ec2.amazonaws.com".
func ServiceTrust(service string) Document {
	return Document{Statements: []Statement{{
		Sid:        "Service",
		Principals: []Principal{Services(service)},
		Actions:    []string{"sts:AssumeRole"},
	}}}
}
