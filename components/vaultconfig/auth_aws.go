package vaultconfig

import (
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// awsAuth lets IAM roles log in with a request to STS that they signed.
func (b *builder) awsAuth() error {
	a := b.args.AWS
	if a == nil {
		return nil
	}
	mount, err := vault.NewAuthBackend(b.ctx, b.name+"-aws", &vault.AuthBackendArgs{
		Type:        pulumi.String("aws"),
		Path:        pulumi.String("aws"),
		Description: pulumi.String("IAM roles"),
	}, b.child()...)
	if err != nil {
		return err
	}
	endpoint := a.STSEndpoint
	if endpoint == "" {
		endpoint = "https://sts." + a.Region + ".amazonaws.com"
	}
	_, err = aws.NewAuthBackendClient(b.ctx, b.name+"-aws-client", &aws.AuthBackendClientArgs{
		Backend: mount.Path,
		// The provider wants both or none. Regional, because the endpoint for all of the
		// world is in one region.
		StsEndpoint:            pulumi.String(endpoint),
		StsRegion:              pulumi.String(a.Region),
		IamServerIdHeaderValue: pulumi.String(a.ServerID),
	}, b.childOf(mount)...)
	if err != nil {
		return err
	}
	b.awsMount, b.awsBackend = mount.Path, mount
	return nil
}

func (b *builder) awsRole(w *Workload, policy pulumi.StringInput) error {
	_, err := aws.NewAuthBackendRole(b.ctx, b.name+"-"+w.Name+"-login", &aws.AuthBackendRoleArgs{
		Backend:               b.awsMount,
		Role:                  pulumi.String(w.Name),
		AuthType:              pulumi.String("iam"),
		BoundIamPrincipalArns: pulumi.ToStringArray(w.IAMRoleARNs),
		// True would let Vault look the role's unique id up, for which it would need
		// iam:GetRole on every role that logs in.
		ResolveAwsUniqueIds: pulumi.Bool(false),
		TokenPolicies:       pulumi.StringArray{policy},
		TokenTtl:            seconds(or(w.TTL, defaultTTL)),
		TokenMaxTtl:         seconds(or(w.MaxTTL, defaultMaxTTL)),
	}, b.childOf(b.awsBackend)...)
	return err
}
