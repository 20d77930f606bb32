package vaultprovider

import (
	"context"
	"maps"
	"slices"

	"github.com/hashicorp/vault/api"
)

// kinds are the resource types that strongroom uses.
var kinds = map[string]*kind{
	"vault:index/mount:Mount":             engineMount(),
	"vault:index/authBackend:AuthBackend": authMount(),
	"vault:jwt/authBackend:AuthBackend":   jwtMount(),
	"vault:index/policy:Policy":           policy(),
	"vault:kubernetes/authBackendConfig:AuthBackendConfig": keeping(endpoint(map[string]field{
		"backend":                       {fallback: "kubernetes", replaces: true},
		"kubernetesHost":                {required: true},
		"kubernetesCaCert":              {vaultDecides: true},
		"tokenReviewerJwt":              {secret: true, fallback: ""},
		"pemKeys":                       {shape: isList},
		"issuer":                        {},
		"disableIssValidation":          {shape: isFlag, vaultDecides: true},
		"disableLocalCaJwt":             {shape: isFlag, vaultDecides: true},
		"useAnnotationsAsAliasMetadata": {shape: isFlag, vaultDecides: true},
	}, "auth/", "backend", "/config", "")),
	"vault:kubernetes/authBackendRole:AuthBackendRole": endpoint(withToken(map[string]field{
		"backend":                       {fallback: "kubernetes", replaces: true},
		"roleName":                      {required: true, replaces: true},
		"boundServiceAccountNames":      {shape: isSet, required: true},
		"boundServiceAccountNamespaces": {shape: isSet, required: true},
		"audience":                      {fallback: ""},
		"aliasNameSource":               {vaultDecides: true},
	}), "auth/", "backend", "/role/", "roleName"),
	"vault:jwt/authBackendRole:AuthBackendRole": endpoint(withToken(map[string]field{
		"backend":         {fallback: "jwt", replaces: true},
		"roleName":        {required: true, replaces: true},
		"roleType":        {replaces: true, vaultDecides: true},
		"boundAudiences":  {shape: isSet},
		"boundSubject":    {},
		"boundClaims":     {shape: isMap},
		"boundClaimsType": {vaultDecides: true},
		"claimMappings":   {shape: isMap},
		"userClaim":       {required: true},
	}), "auth/", "backend", "/role/", "roleName"),
	"vault:appRole/authBackendRole:AuthBackendRole": appRole(),
	"vault:aws/authBackendClient:AuthBackendClient": endpoint(map[string]field{
		"backend":                {fallback: "aws", replaces: true},
		"ec2Endpoint":            {vault: "endpoint"},
		"iamEndpoint":            {},
		"stsEndpoint":            {},
		"stsRegion":              {},
		"iamServerIdHeaderValue": {},
		"maxRetries":             {shape: isNumber, fallback: -1.0},
		"useStsRegionFromClient": {shape: isFlag, vaultDecides: true},
	}, "auth/", "backend", "/config/client", ""),
	"vault:aws/authBackendRole:AuthBackendRole": endpoint(withToken(map[string]field{
		"backend":               {fallback: "aws", replaces: true},
		"role":                  {required: true, replaces: true},
		"authType":              {fallback: "iam", replaces: true},
		"boundIamPrincipalArns": {shape: isSet, vault: "bound_iam_principal_arn"},
		// Vault takes the way from false to true only; here either replaces.
		"resolveAwsUniqueIds": {shape: isFlag, fallback: true, replaces: true},
	}), "auth/", "backend", "/role/", "role"),
	"vault:database/secretBackendConnection:SecretBackendConnection": connection(),
	"vault:database/secretBackendRole:SecretBackendRole": endpoint(map[string]field{
		"backend":              {required: true, replaces: true},
		"name":                 {required: true, replaces: true},
		"dbName":               {required: true, replaces: true},
		"creationStatements":   {shape: isList, required: true},
		"revocationStatements": {shape: isList},
		"rollbackStatements":   {shape: isList},
		"renewStatements":      {shape: isList},
		"defaultTtl":           {shape: isNumber},
		"maxTtl":               {shape: isNumber},
	}, "", "backend", "/roles/", "name"),
}

// withToken adds the properties that all roles of auth methods have.
func withToken(fields map[string]field) map[string]field {
	maps.Copy(fields, map[string]field{
		"tokenBoundCidrs":      {shape: isSet},
		"tokenExplicitMaxTtl":  {shape: isNumber},
		"tokenMaxTtl":          {shape: isNumber},
		"tokenNoDefaultPolicy": {shape: isFlag},
		"tokenNumUses":         {shape: isNumber},
		"tokenPeriod":          {shape: isNumber},
		"tokenPolicies":        {shape: isSet},
		"tokenTtl":             {shape: isNumber},
		"tokenType":            {fallback: "default"},
	})
	return fields
}

// endpoint is what is written to one path, <prefix><mount><between><name>, and read and
// deleted there.
func endpoint(fields map[string]field, prefix, mount, between, name string) *kind {
	k := &kind{fields: fields}
	var body []string
	for property := range fields {
		if property != mount && property != name {
			body = append(body, property)
		}
	}
	slices.Sort(body)
	k.id = func(inputs map[string]any) string {
		return prefix + text(inputs, mount) + between + text(inputs, name)
	}
	k.create = func(ctx context.Context, c *api.Client, inputs map[string]any) error {
		return k.update(ctx, c, nil, inputs)
	}
	k.update = func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		_, err := c.Logical().WriteWithContext(ctx, k.id(inputs), k.data(olds, inputs, body...))
		return err
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		answer, err := c.Logical().ReadWithContext(ctx, k.id(inputs))
		if err != nil || answer == nil {
			if err != nil && gone(err) {
				return nil, nil
			}
			return nil, err
		}
		return k.told(answer.Data, body...), nil
	}
	k.remove = func(ctx context.Context, c *api.Client, state map[string]any) error {
		_, err := c.Logical().DeleteWithContext(ctx, k.id(state))
		return err
	}
	return k
}

// keeping is for what stays as it is until its mount goes.
func keeping(k *kind) *kind {
	k.remove = nil
	return k
}

// appRole has a role id beside what is written.
func appRole() *kind {
	k := endpoint(withToken(map[string]field{
		"backend":            {fallback: "approle", replaces: true},
		"roleName":           {required: true, replaces: true},
		"bindSecretId":       {shape: isFlag, fallback: true},
		"secretIdBoundCidrs": {shape: isSet},
		"secretIdNumUses":    {shape: isNumber},
		"secretIdTtl":        {shape: isNumber},
	}), "auth/", "backend", "/role/", "roleName")
	k.computed = []string{"roleId"}
	read := k.read
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		found, err := read(ctx, c, inputs)
		if err != nil || found == nil {
			return nil, err
		}
		answer, err := c.Logical().ReadWithContext(ctx, k.id(inputs)+"/role-id")
		if err != nil {
			return nil, err
		}
		if answer != nil {
			found["roleId"] = answer.Data["role_id"]
		}
		return found, nil
	}
	return k
}

// policy is vault:index/policy:Policy.
func policy() *kind {
	k := &kind{
		fields: map[string]field{"name": {required: true, replaces: true}, "policy": {required: true}},
		id:     func(inputs map[string]any) string { return text(inputs, "name") },
	}
	k.create = func(ctx context.Context, c *api.Client, inputs map[string]any) error {
		return c.Sys().PutPolicyWithContext(ctx, text(inputs, "name"), text(inputs, "policy"))
	}
	k.update = func(ctx context.Context, c *api.Client, _, inputs map[string]any) error {
		return k.create(ctx, c, inputs)
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		content, err := c.Sys().GetPolicyWithContext(ctx, text(inputs, "name"))
		if err != nil || content == "" {
			return nil, err
		}
		return map[string]any{"policy": content}, nil
	}
	k.remove = func(ctx context.Context, c *api.Client, state map[string]any) error {
		return c.Sys().DeletePolicyWithContext(ctx, text(state, "name"))
	}
	return k
}
