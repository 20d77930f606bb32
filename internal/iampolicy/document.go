// Package iampolicy writes IAM policy documents from typed statements, and
// refuses the ones that give away more than was meant: a "*" where an ARN could
// stand has to be asked for with a reason.
//
// Grammar:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
package iampolicy

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// Kind says where a document is used, which decides what its statements have.
type Kind string

const (
	// Identity is a policy of a role: resources, no principals.
	Identity Kind = "identity policy"
	// Trust says who may assume a role: principals, no resources.
	Trust Kind = "trust policy"
	// Resource is the policy of a key, a bucket or a secret: principals and resources.
	Resource Kind = "resource policy"
)

// Effect of a statement.
type Effect string

const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// PrincipalType is the kind of a principal, in AWS's words.
type PrincipalType string

const (
	AWS       PrincipalType = "AWS"
	Service   PrincipalType = "Service"
	Federated PrincipalType = "Federated"
)

// Document is a policy. Its statements are written in the order given.
type Document struct {
	Statements []Statement
}

// Statement allows or denies actions.
type Statement struct {
	// Sid names the statement, in errors too: letters and digits, unique in the
	// document, required.
	Sid string
	// Effect is Allow when empty.
	Effect Effect
	// Principals of trust and resource policies. The principal "*" is possible
	// only in a Deny.
	Principals []Principal
	// Actions such as "kms:Decrypt" or "kms:Describe*". In an Allow neither "*"
	// nor a whole service ("kms:*") is possible.
	Actions []string
	// Resources are ARNs, which may come from other resources. In an Allow "*"
	// and ARNs that stand for all resources of a service are refused.
	Resources []pulumi.StringInput
	// AnyResource, in the place of Resources, makes the statement hold for "*".
	// It is the reason why no ARN can be named, for readers of the code; AWS
	// does not see it.
	AnyResource string
	Conditions  []Condition
}

// Principal is one or more principals of one type.
type Principal struct {
	Type PrincipalType
	IDs  []pulumi.StringInput
}

// Condition is one line of a condition block, such as StringEquals of
// "aws:SourceAccount". Several values mean any of them.
type Condition struct {
	Operator string
	Key      string
	Values   []pulumi.StringInput
}

// Services are AWS services as principals, such as "ec2.amazonaws.com".
func Services(names ...string) Principal {
	p := Principal{Type: Service}
	for _, name := range names {
		p.IDs = append(p.IDs, pulumi.String(name))
	}
	return p
}

// Principals are accounts, roles and users by ARN.
func Principals(arns ...pulumi.StringInput) Principal {
	return Principal{Type: AWS, IDs: arns}
}

// StringEquals is the condition that the key has one of the values.
func StringEquals(key string, values ...pulumi.StringInput) Condition {
	return Condition{Operator: "StringEquals", Key: key, Values: values}
}
