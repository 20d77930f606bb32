package main

import (
	"fmt"
	"reflect"
	"unsafe"

	authaws "github.com/hashicorp/vault/builtin/credential/aws"
	"github.com/hashicorp/vault/helper/builtinplugins"
	"github.com/hashicorp/vault/plugins/database/mysql"
	"github.com/hashicorp/vault/plugins/database/postgresql"
	"github.com/hashicorp/vault/sdk/logical"
)

// register adds the plugins to the registry of Vault's built-in plugins, under
// the names that Vault gives them.
func register() error {
	for name, factory := range map[string]logical.Factory{
		"aws":        authaws.Factory,
		"kubernetes": kubernetesAuth,
	} {
		if err := add("credentialBackends", name, factory); err != nil {
			return err
		}
	}
	for name, factory := range map[string]builtinplugins.BuiltinFactory{
		"mysql-database-plugin":      mysql.New(mysql.DefaultUserNameTemplate),
		"postgresql-database-plugin": postgresql.New,
	} {
		if err := add("databasePlugins", name, factory); err != nil {
			return err
		}
	}
	return nil
}

// add puts one plugin into a map of the registry. The map's field and the type
// of its values are not exported, so that there is no other way than this one;
// a version of Vault that has them differently is told by name instead of by a
// crash.
func add(field, name string, factory any) error {
	registry := reflect.ValueOf(builtinplugins.Registry).Elem()
	plugins := registry.FieldByName(field)
	if !plugins.IsValid() || plugins.Kind() != reflect.Map || plugins.Type().Elem().Kind() != reflect.Struct {
		return fmt.Errorf("this version of Vault has no %s in its plugin registry: see tools/vault/register.go", field)
	}
	plugin := reflect.New(plugins.Type().Elem()).Elem()
	made := plugin.FieldByName("Factory")
	if !made.IsValid() || !reflect.TypeOf(factory).AssignableTo(made.Type()) {
		return fmt.Errorf("the plugin %s does not fit into this version of Vault's registry: see tools/vault/register.go", name)
	}
	made.Set(reflect.ValueOf(factory))
	// Reached through an unexported field, the map could only be read.
	writable := reflect.NewAt(plugins.Type(), unsafe.Pointer(plugins.UnsafeAddr())).Elem()
	writable.SetMapIndex(reflect.ValueOf(name), plugin)
	return nil
}
