package vaultconfig

import (
	"strings"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/jwt"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// gitlabAuth lets CI jobs log in with the ID token that GitLab gives them:
// https://docs.gitlab.com/ci/secrets/id_token_authentication/.
func (b *builder) gitlabAuth() error {
	g := b.args.GitLab
	if g == nil {
		return nil
	}
	args := &jwt.AuthBackendArgs{
		Path:        pulumi.String("gitlab"),
		Description: pulumi.String("Jobs of " + g.URL),
		BoundIssuer: pulumi.String(g.URL),
	}
	if len(g.PublicKeys) > 0 {
		// Vault gives a key back without the line's end, which would look like a change.
		keys := make(pulumi.StringArray, len(g.PublicKeys))
		for i, key := range g.PublicKeys {
			keys[i] = pulumi.String(strings.TrimSpace(key))
		}
		args.JwtValidationPubkeys = keys
	} else {
		args.OidcDiscoveryUrl = pulumi.String(g.URL)
	}
	mount, err := jwt.NewAuthBackend(b.ctx, b.name+"-gitlab", args, b.child()...)
	if err != nil {
		return err
	}
	b.gitlabMount, b.gitlabBackend = mount.Path.Elem(), mount
	return nil
}

func (b *builder) gitlabRole(w *Workload, policy pulumi.StringInput) error {
	claims := pulumi.StringMap{
		"project_path": pulumi.String(w.GitLab.Project),
		// A tag may have the name of a branch.
		"ref_type": pulumi.String("branch"),
		"ref":      pulumi.String(w.GitLab.Branch),
	}
	if !w.GitLab.Unprotected {
		claims["ref_protected"] = pulumi.String("true")
	}
	_, err := jwt.NewAuthBackendRole(b.ctx, b.name+"-"+w.Name+"-login", &jwt.AuthBackendRoleArgs{
		Backend:         b.gitlabMount,
		RoleName:        pulumi.String(w.Name),
		RoleType:        pulumi.String("jwt"),
		BoundAudiences:  pulumi.StringArray{pulumi.String(b.args.GitLab.Audience)},
		BoundClaimsType: pulumi.String("string"),
		BoundClaims:     claims,
		UserClaim:       pulumi.String("project_path"),
		TokenPolicies:   pulumi.StringArray{policy},
		TokenTtl:        seconds(or(w.TTL, defaultTTL)),
		TokenMaxTtl:     seconds(or(w.MaxTTL, defaultMaxTTL)),
	}, b.childOf(b.gitlabBackend)...)
	return err
}
