package vaultprovider

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/vault/api"
)

// engineMount is vault:index/mount:Mount. A new path moves the engine with what is in it.
func engineMount() *kind {
	k := &kind{
		fields: map[string]field{
			"path":                   {required: true},
			"type":                   {required: true, replaces: true},
			"description":            {},
			"options":                {shape: isMap},
			"defaultLeaseTtlSeconds": {shape: isNumber, vaultDecides: true},
			"maxLeaseTtlSeconds":     {shape: isNumber, vaultDecides: true},
			"local":                  {shape: isFlag, replaces: true},
			"sealWrap":               {shape: isFlag, replaces: true, vaultDecides: true},
			"externalEntropyAccess":  {shape: isFlag, replaces: true, fallback: false},
		},
		computed: []string{"accessor"},
		id:       func(inputs map[string]any) string { return text(inputs, "path") },
	}
	k.create = func(ctx context.Context, c *api.Client, inputs map[string]any) error {
		return c.Sys().MountWithContext(ctx, text(inputs, "path"), &api.MountInput{
			Type:                  text(inputs, "type"),
			Description:           text(inputs, "description"),
			Options:               texts(inputs, "options"),
			Local:                 flag(inputs, "local"),
			SealWrap:              flag(inputs, "sealWrap"),
			ExternalEntropyAccess: flag(inputs, "externalEntropyAccess"),
			Config: api.MountConfigInput{
				DefaultLeaseTTL: lease(inputs, "defaultLeaseTtlSeconds"),
				MaxLeaseTTL:     lease(inputs, "maxLeaseTtlSeconds"),
			},
		})
	}
	k.update = func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		path := text(inputs, "path")
		if before := text(olds, "path"); before != path {
			if err := c.Sys().RemountWithContext(ctx, before, path); err != nil {
				return err
			}
		}
		description := text(inputs, "description")
		usual, longest := lease(inputs, "defaultLeaseTtlSeconds"), lease(inputs, "maxLeaseTtlSeconds")
		tune := api.TuneMountConfigInput{Description: &description, DefaultLeaseTTL: &usual, MaxLeaseTTL: &longest}
		if options := texts(inputs, "options"); len(options) > 0 {
			tune.Options = &options
		}
		return c.Sys().TuneMountAllowNilWithContext(ctx, path, tune)
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		mounts, err := c.Sys().ListMountsWithContext(ctx)
		if err != nil {
			return nil, err
		}
		mount, ok := mounts[strings.Trim(text(inputs, "path"), "/")+"/"]
		if !ok {
			return nil, nil
		}
		options := map[string]any{}
		for key, v := range mount.Options {
			options[key] = v
		}
		return map[string]any{
			"type": mount.Type, "description": mount.Description, "options": options, "local": mount.Local,
			"sealWrap": mount.SealWrap, "accessor": mount.Accessor,
			"defaultLeaseTtlSeconds": float64(mount.Config.DefaultLeaseTTL),
			"maxLeaseTtlSeconds":     float64(mount.Config.MaxLeaseTTL),
		}, nil
	}
	k.mounted = k.read
	k.remove = func(ctx context.Context, c *api.Client, state map[string]any) error {
		return c.Sys().UnmountWithContext(ctx, text(state, "path"))
	}
	return k
}

// authMount is vault:index/authBackend:AuthBackend.
func authMount() *kind {
	k := &kind{
		fields: map[string]field{
			"type":        {required: true, replaces: true},
			"path":        {},
			"description": {},
			"local":       {shape: isFlag, replaces: true},
		},
		computed: []string{"accessor"},
		id: func(inputs map[string]any) string {
			if path := text(inputs, "path"); path != "" {
				return path
			}
			return text(inputs, "type")
		},
	}
	k.create = func(ctx context.Context, c *api.Client, inputs map[string]any) error {
		return enableAuth(ctx, c, k.id(inputs), inputs)
	}
	k.update = func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		return moveAuth(ctx, c, k.id(olds), k.id(inputs), text(inputs, "description"))
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		return readAuth(ctx, c, k.id(inputs))
	}
	k.mounted = k.read
	k.remove = func(ctx context.Context, c *api.Client, state map[string]any) error {
		return c.Sys().DisableAuthWithContext(ctx, k.id(state))
	}
	return k
}

// jwtMount is vault:jwt/authBackend:AuthBackend, a mount and its configuration in one.
func jwtMount() *kind {
	config := []string{"oidcDiscoveryUrl", "oidcDiscoveryCaPem", "jwksUrl", "jwksCaPem", "jwtValidationPubkeys",
		"boundIssuer", "jwtSupportedAlgs", "defaultRole", "namespaceInState"}
	k := &kind{
		fields: map[string]field{
			"path":                 {fallback: "jwt"},
			"type":                 {fallback: "jwt", replaces: true},
			"description":          {},
			"local":                {shape: isFlag, fallback: false, replaces: true},
			"oidcDiscoveryUrl":     {},
			"oidcDiscoveryCaPem":   {},
			"jwksUrl":              {},
			"jwksCaPem":            {},
			"jwtValidationPubkeys": {shape: isList},
			"boundIssuer":          {},
			"jwtSupportedAlgs":     {shape: isList},
			"defaultRole":          {},
			"namespaceInState":     {shape: isFlag, fallback: true},
		},
		computed: []string{"accessor"},
		id:       func(inputs map[string]any) string { return text(inputs, "path") },
	}
	configure := func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		_, err := c.Logical().WriteWithContext(ctx, "auth/"+k.id(inputs)+"/config", k.data(olds, inputs, config...))
		return err
	}
	k.create = func(ctx context.Context, c *api.Client, inputs map[string]any) error {
		keys := 0
		for _, name := range []string{"oidcDiscoveryUrl", "jwksUrl", "jwtValidationPubkeys"} {
			if v, ok := inputs[name]; ok && !k.fields[name].zero(v) {
				keys++
			}
		}
		if keys != 1 {
			return fmt.Errorf("exactly one of oidcDiscoveryUrl, jwksUrl or jwtValidationPubkeys should be provided, got %d", keys)
		}
		if err := enableAuth(ctx, c, k.id(inputs), inputs); err != nil {
			return err
		}
		if err := configure(ctx, c, nil, inputs); err != nil {
			// A mount without a configuration would be in the way of the next try.
			if undo := c.Sys().DisableAuthWithContext(ctx, k.id(inputs)); undo != nil {
				return fmt.Errorf("%w; and the mount %q could not be taken back: %w", err, k.id(inputs), undo)
			}
			return err
		}
		return nil
	}
	k.update = func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		if err := moveAuth(ctx, c, k.id(olds), k.id(inputs), text(inputs, "description")); err != nil {
			return err
		}
		return configure(ctx, c, olds, inputs)
	}
	k.mounted = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		return readAuth(ctx, c, k.id(inputs))
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		found, err := readAuth(ctx, c, k.id(inputs))
		if err != nil || found == nil {
			return nil, err
		}
		answer, err := c.Logical().ReadWithContext(ctx, "auth/"+k.id(inputs)+"/config")
		if err != nil || answer == nil {
			return nil, err
		}
		for name, v := range k.told(answer.Data, config...) {
			found[name] = v
		}
		return found, nil
	}
	k.remove = func(ctx context.Context, c *api.Client, state map[string]any) error {
		return c.Sys().DisableAuthWithContext(ctx, k.id(state))
	}
	return k
}

// takeOver makes do with a mount that is in the way of a creation: one of the same type
// and description at the same path was made by a run that was killed before the state
// knew. The official provider refuses, and `strongroom up` asks there: --adopt, --forget.
func (k *kind) takeOver(ctx context.Context, c *api.Client, inputs map[string]any, refused error) error {
	var answered *api.ResponseError
	if k.mounted == nil || !errors.As(refused, &answered) || !strings.Contains(strings.Join(answered.Errors, " "), "path is already in use") {
		return refused
	}
	found, err := k.mounted(ctx, c, inputs)
	if err != nil {
		return errors.Join(refused, err)
	}
	if found == nil || text(found, "type") != text(inputs, "type") || text(found, "description") != text(inputs, "description") {
		return refused
	}
	return k.update(ctx, c, inputs, inputs)
}

func enableAuth(ctx context.Context, c *api.Client, path string, inputs map[string]any) error {
	return c.Sys().EnableAuthWithOptionsWithContext(ctx, path, &api.EnableAuthOptions{
		Type:        text(inputs, "type"),
		Description: text(inputs, "description"),
		Local:       flag(inputs, "local"),
	})
}

func moveAuth(ctx context.Context, c *api.Client, before, path, description string) error {
	if before != path {
		if err := c.Sys().RemountWithContext(ctx, "auth/"+before, "auth/"+path); err != nil {
			return err
		}
	}
	return c.Sys().TuneMountAllowNilWithContext(ctx, "auth/"+path, api.TuneMountConfigInput{Description: &description})
}

func readAuth(ctx context.Context, c *api.Client, path string) (map[string]any, error) {
	mounts, err := c.Sys().ListAuthWithContext(ctx)
	if err != nil {
		return nil, err
	}
	mount, ok := mounts[strings.Trim(path, "/")+"/"]
	if !ok {
		return nil, nil
	}
	return map[string]any{
		"type": mount.Type, "description": mount.Description, "local": mount.Local, "accessor": mount.Accessor,
	}, nil
}

func lease(inputs map[string]any, key string) string {
	n, _ := inputs[key].(float64)
	return fmt.Sprintf("%ds", int(n))
}

func texts(inputs map[string]any, key string) map[string]string {
	m, _ := inputs[key].(map[string]any)
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = fmt.Sprint(v)
	}
	return out
}
