package vaultprovider

import (
	"context"
	"errors"
	"maps"

	"github.com/hashicorp/vault/api"
)

// connectionFields are the properties inside of "postgresql" and "mysql". Those with a
// default are written when they are not given.
var connectionFields = map[string]map[string]field{
	"postgresql": {
		"connectionUrl":          {},
		"username":               {},
		"password":               {secret: true},
		"passwordAuthentication": {fallback: "password"},
		"tlsCa":                  {},
		"maxOpenConnections":     {shape: isNumber, fallback: 2.0},
		"maxIdleConnections":     {shape: isNumber},
		"usernameTemplate":       {},
	},
	"mysql": {
		"connectionUrl":      {},
		"username":           {},
		"password":           {secret: true},
		"tlsCa":              {},
		"maxOpenConnections": {shape: isNumber, fallback: 2.0},
		"maxIdleConnections": {shape: isNumber},
		"usernameTemplate":   {},
	},
}

var plugins = map[string]string{"postgresql": "postgresql-database-plugin", "mysql": "mysql-database-plugin"}

// connection is vault:database/secretBackendConnection:SecretBackendConnection.
func connection() *kind {
	k := endpoint(map[string]field{
		"backend":                {required: true, replaces: true},
		"name":                   {required: true, replaces: true},
		"pluginName":             {vaultDecides: true},
		"allowedRoles":           {shape: isList},
		"verifyConnection":       {shape: isFlag, fallback: true},
		"rootRotationStatements": {shape: isList},
		// Objects with a password inside; the whole is secret when one is given.
		"postgresql": {shape: isObject, inside: connectionFields["postgresql"]},
		"mysql":      {shape: isObject, inside: connectionFields["mysql"]},
	}, "", "backend", "/config/", "name")
	common := []string{"allowedRoles", "rootRotationStatements", "verifyConnection"}
	k.update = func(ctx context.Context, c *api.Client, olds, inputs map[string]any) error {
		engine, err := engineOf(inputs)
		if err != nil {
			return err
		}
		body := k.data(olds, inputs, common...)
		body["plugin_name"] = plugins[engine]
		if name := text(inputs, "pluginName"); name != "" {
			body["plugin_name"] = name
		}
		maps.Copy(body, details(engine, olds, inputs))
		_, err = c.Logical().WriteWithContext(ctx, k.id(inputs), body)
		return err
	}
	k.read = func(ctx context.Context, c *api.Client, inputs map[string]any) (map[string]any, error) {
		engine, err := engineOf(inputs)
		if err != nil {
			return nil, err
		}
		answer, err := c.Logical().ReadWithContext(ctx, k.id(inputs))
		if err != nil || answer == nil {
			if err != nil && gone(err) {
				return nil, nil
			}
			return nil, err
		}
		answer.Data["root_rotation_statements"] = answer.Data["root_credentials_rotate_statements"]
		found := k.told(answer.Data, append(common, "pluginName")...)
		given, _ := inputs[engine].(map[string]any)
		inside := maps.Clone(given)
		held, _ := answer.Data["connection_details"].(map[string]any)
		for name, f := range connectionFields[engine] {
			v, told := held[f.name(name)]
			if _, was := given[name]; was && told && !f.secret {
				inside[name] = f.plain(v)
			}
		}
		found[engine] = inside
		return found, nil
	}
	return k
}

// details are the properties of the engine. Vault never tells the password: after it was
// rotated, writing the one that is known here would break the connection, so it is only
// written when it is new.
func details(engine string, olds, inputs map[string]any) map[string]any {
	before, _ := olds[engine].(map[string]any)
	given, _ := inputs[engine].(map[string]any)
	body := map[string]any{}
	for name, f := range connectionFields[engine] {
		v, ok := given[name]
		switch {
		case !ok && f.fallback != nil:
			body[f.name(name)] = f.fallback
		case !ok && before[name] != nil:
			body[f.name(name)] = f.shape.nothing()
		case !ok || f.secret && before[name] == v:
		default:
			body[f.name(name)] = v
		}
	}
	return body
}

func engineOf(inputs map[string]any) (string, error) {
	_, postgresql := inputs["postgresql"]
	_, mysql := inputs["mysql"]
	switch {
	case postgresql && !mysql:
		return "postgresql", nil
	case mysql && !postgresql:
		return "mysql", nil
	}
	return "", errors.New("expected exactly one of postgresql and mysql")
}
