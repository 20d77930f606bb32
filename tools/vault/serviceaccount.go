package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"unsafe"

	authkubernetes "github.com/hashicorp/vault-plugin-auth-kubernetes"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/serviceregistration/kubernetes/client"
)

// serviceAccountVariable names a folder with the files token and ca.crt, for a
// server that is no pod and so has none in the fixed place where a pod has them:
// /var/run/secrets/kubernetes.io/serviceaccount. Vault's service registration and
// the local token review of its kubernetes auth read them.
const serviceAccountVariable = "STRONGROOM_SERVICE_ACCOUNT_DIR"

// moveServiceAccount tells the service registration of the folder.
func moveServiceAccount() {
	if dir := os.Getenv(serviceAccountVariable); dir != "" {
		client.TokenFile, client.RootCAFile = filepath.Join(dir, "token"), filepath.Join(dir, "ca.crt")
	}
}

// kubernetesAuth is the plugin's own factory; it tells the backend of the folder.
// The fields are not exported: a version that has them differently is told by name.
func kubernetesAuth(ctx context.Context, config *logical.BackendConfig) (logical.Backend, error) {
	backend, err := authkubernetes.Factory(ctx, config)
	dir := os.Getenv(serviceAccountVariable)
	if err != nil || dir == "" {
		return backend, err
	}
	for field, file := range map[string]string{"localSATokenReader": "token", "localCACertReader": "ca.crt"} {
		reader := reflect.ValueOf(backend).Elem().FieldByName(field)
		if !reader.IsValid() || reader.Kind() != reflect.Pointer {
			return nil, fmt.Errorf("this version of the kubernetes auth plugin has no %s: see tools/vault/serviceaccount.go", field)
		}
		path := reader.Elem().FieldByName("path")
		if !path.IsValid() || path.Kind() != reflect.String {
			return nil, fmt.Errorf("this version of the kubernetes auth plugin has no path in its %s: see tools/vault/serviceaccount.go", field)
		}
		// Reached through an unexported field, it could only be read.
		reflect.NewAt(path.Type(), unsafe.Pointer(path.UnsafeAddr())).Elem().SetString(filepath.Join(dir, file))
	}
	return backend, nil
}
