package stacks

import (
	"errors"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// configValues returns all configuration of the running stack by full key.
//
// A strict reader must see the keys that it does not know. The SDK answers for one
// key at a time (Context.GetConfig), and its list is in the environment
// (PULUMI_CONFIG) only when the program is a process of its own, not under the
// Automation API. So the list is read, never written, where the SDK keeps it. A
// later SDK that keeps it elsewhere gets an error here, and a test says so first.
func configValues(ctx *pulumi.Context) (map[string]string, error) {
	list := reflect.ValueOf(ctx)
	for _, field := range []string{"state", "info", "Config"} {
		if list.Kind() == reflect.Pointer {
			list = list.Elem()
		}
		if list.Kind() != reflect.Struct {
			return nil, errUnlisted
		}
		list = list.FieldByName(field)
	}
	if list.Kind() != reflect.Map || list.Type().Key().Kind() != reflect.String {
		return nil, errUnlisted
	}
	values := make(map[string]string, list.Len())
	for _, key := range list.MapKeys() {
		value, ok := ctx.GetConfig(key.String())
		if !ok {
			return nil, errUnlisted
		}
		values[key.String()] = value
	}
	return values, nil
}

var errUnlisted = errors.New("this version of the Pulumi SDK keeps its list of configuration keys elsewhere: " +
	"use the version of github.com/pulumi/pulumi/sdk/v3 that is in go.mod")
