package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/policy"
)

// Principal is who makes a request to a data plane.
type Principal struct {
	ARN string
	// Role is the name of the role whose session it is, empty for a user.
	Role string
}

// Access is what a principal wants to do.
type Access struct {
	// Action is "kms:Decrypt", Resource the ARN of what it is done to.
	Action, Resource string
	// ResourcePolicy is the resource's own policy, empty where it has none.
	ResourcePolicy string
	// PolicyRequired says that the resource's policy has to let the account's own
	// policies speak, as that of a KMS key has.
	PolicyRequired bool
	// Context are condition keys with their values, in lower case.
	Context map[string]string
}

// Authorize says whether a principal may do something: nil, or a refusal that
// names the principal, the action and the resource. The operator may do
// everything, as an account's administrator may; the stranger nothing; a role's
// session what its policies allow.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (a *Account) Authorize(who Principal, access Access) error {
	refusal := refuse("AccessDeniedException", "User: %s is not authorized to perform: %s on resource: %s", who.ARN, access.Action, access.Resource)
	own, principals, err := a.policiesOf(who)
	if err != nil {
		return err
	}
	request := policy.Request{Action: access.Action, Resource: access.Resource, Principals: principals, Context: access.Context}
	byIdentity, err := policy.Evaluate(own, request)
	if err != nil {
		return fmt.Errorf("policies of %s: %w", who.ARN, err)
	}
	if byIdentity == policy.Denied {
		refusal.Message += " with an explicit deny in an identity-based policy"
		return refusal
	}
	byResource, delegated := policy.Undecided, !access.PolicyRequired
	if access.ResourcePolicy != "" {
		if byResource, err = policy.EvaluateResource(access.ResourcePolicy, request); err != nil {
			return fmt.Errorf("policy of %s: %w", access.Resource, err)
		}
		root := request
		root.Principals = []string{accountRoot, AccountID}
		toAccount, err := policy.EvaluateResource(access.ResourcePolicy, root)
		if err != nil {
			return fmt.Errorf("policy of %s: %w", access.Resource, err)
		}
		delegated = delegated || toAccount == policy.Allowed
	}
	switch {
	case byResource == policy.Denied:
		refusal.Message += " with an explicit deny in a resource-based policy"
		return refusal
	case byResource == policy.Allowed, delegated && byIdentity == policy.Allowed:
		return nil
	case !delegated:
		refusal.Message += " because no resource-based policy allows the " + access.Action + " action"
		return refusal
	}
	refusal.Message += " because no identity-based policy allows the " + access.Action + " action"
	return refusal
}

const (
	accountRoot   = "arn:aws:iam::" + AccountID + ":root"
	administrator = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
)

// policiesOf collects a principal's policies and the names by which a policy of
// a resource may call it.
func (a *Account) policiesOf(who Principal) (documents, principals []string, err error) {
	principals = []string{who.ARN}
	if who.Role == "" {
		if who.ARN == OperatorARN {
			documents = append(documents, administrator)
		}
		return documents, principals, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	role := v.get(typeRole, who.Role)
	if role == nil {
		return nil, nil, refuse("AccessDeniedException", "the role %s of %s is gone", who.Role, who.ARN)
	}
	principals = append(principals, role.out().String("arn"))
	ofRole := func(o *Object) bool { return o.in().String("role") == who.Role }
	for _, inline := range v.all(typeRolePolicy, ofRole) {
		documents = append(documents, inline.out().String("policy"))
	}
	for _, attachment := range v.all(typeRolePolicyAttachment, ofRole) {
		attached := attachment.in().String("policyArn")
		managed := v.first(typePolicy, func(o *Object) bool { return o.out().String("arn") == attached })
		// What AWS's own policies say is not known here: they allow nothing.
		if managed != nil {
			documents = append(documents, managed.out().String("policy"))
		}
	}
	return documents, principals, nil
}

// Key is what the simulated KMS knows of a key.
type Key struct {
	ID, ARN, Region string
	Description     string
	Policy          string
	Enabled         bool
}

// Key finds a KMS key by its ID, its ARN, an alias or an alias' ARN.
func (a *Account) Key(reference, region string) (Key, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	name := reference
	if rest, found := strings.CutPrefix(reference, arn("kms", region, "")); found {
		name = rest
	}
	if strings.HasPrefix(name, "alias/") {
		alias := v.first(typeKeyAlias, func(o *Object) bool { return o.Region == region && o.out().String("name") == name })
		if alias == nil {
			return Key{}, notFound("NotFoundException", "Alias %s is not found.", arn("kms", region, name))
		}
		reference = alias.out().String("targetKeyArn")
	}
	o := v.keyOf(reference, region)
	if o == nil {
		return Key{}, notFound("NotFoundException", "Key '%s' does not exist", reference)
	}
	return Key{
		ID: o.ID, ARN: o.out().String("arn"), Region: o.Region, Description: o.out().String("description"),
		Policy: o.out().String("policy"), Enabled: o.in().Bool("isEnabled", true),
	}, nil
}

// Secret is what the simulated Secrets Manager knows of a secret; its values are
// not the account's.
type Secret struct {
	ARN, Name, Description string
	// KeyID is the KMS key that encrypts it, empty for AWS's own.
	KeyID  string
	Policy string
}

// Secret finds a secret by its name, its ARN, or its ARN without the six
// characters at the end.
func (a *Account) Secret(reference, region string) (Secret, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.view().first(typeSecret, func(o *Object) bool {
		full := o.out().String("arn")
		return o.Region == region && (o.out().String("name") == reference || full == reference || strings.HasPrefix(full, reference+"-") && len(full) == len(reference)+7)
	})
	if o == nil {
		return Secret{}, notFound("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return Secret{
		ARN: o.out().String("arn"), Name: o.out().String("name"), Description: o.out().String("description"),
		KeyID: o.out().String("kmsKeyId"), Policy: o.out().String("policy"),
	}, nil
}

// PodRole is the role that EKS Pod Identity gives to a service account.
func (a *Account) PodRole(cluster, namespace, serviceAccount string) (name, roleARN string, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	association := v.first(typePodIdentityAssociation, func(o *Object) bool {
		out := o.out()
		return out.String("clusterName") == cluster && out.String("namespace") == namespace && out.String("serviceAccount") == serviceAccount
	})
	if association == nil {
		return "", "", notFound("ResourceNotFoundException", "no Pod Identity association for service account %q in namespace %q of cluster %q", serviceAccount, namespace, cluster)
	}
	role := v.roleByARN(association.out().String("roleArn"))
	if role == nil {
		return "", "", notFound("NoSuchEntity", "the role %s of the Pod Identity association is gone", association.out().String("roleArn"))
	}
	return role.ID, role.out().String("arn"), nil
}

// Strike lets a fault that was injected for a call to a data plane strike: its
// type is the call ("kms:Decrypt"), its operation OpInvoke.
func (a *Account) Strike(ctx context.Context, call string) error {
	return a.faults.strike(ctx, call, OpInvoke)
}

// RoleID is the unique ID of a role, empty where there is no such role.
func (a *Account) RoleID(name string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	role := a.view().get(typeRole, name)
	if role == nil {
		return ""
	}
	return role.out().String("uniqueId")
}
