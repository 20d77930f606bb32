package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeDir holds one kubeconfig per stack, for use by hand. It goes with the
// sandbox.
func kubeDir(b box) string { return filepath.Join(b.Folder(), "kube") }

// writeKubeconfig writes a stack's kubeconfig, with the stack's name for its
// context, cluster and user, so that kubectl can read several at once, and with
// the region. There is no secret in it.
func writeKubeconfig(b box, stack, kubeconfig, region string) error {
	config, err := clientcmd.Load([]byte(kubeconfig))
	if err != nil {
		return fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
	}
	context, ok := config.Contexts[config.CurrentContext]
	if !ok {
		return fmt.Errorf("kubeconfig of stack %q: it has no context %q, which it says is the current one", stack, config.CurrentContext)
	}
	cluster, user := config.Clusters[context.Cluster], config.AuthInfos[context.AuthInfo]
	if cluster == nil || user == nil {
		return fmt.Errorf("kubeconfig of stack %q: context %q names a cluster or a user that it does not have", stack, config.CurrentContext)
	}
	if user.Exec != nil {
		for _, name := range regionVariables {
			user.Exec.Env = append(user.Exec.Env, clientcmdapi.ExecEnvVar{Name: name, Value: region})
		}
	}
	clear(config.Contexts)
	clear(config.Clusters)
	clear(config.AuthInfos)
	context.Cluster, context.AuthInfo = stack, stack
	config.Contexts[stack], config.Clusters[stack], config.AuthInfos[stack] = context, cluster, user
	config.CurrentContext = stack
	data, err := clientcmd.Write(*config)
	if err != nil {
		return fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
	}
	if err := os.MkdirAll(kubeDir(b), 0o700); err != nil {
		return fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
	}
	path := filepath.Join(kubeDir(b), stack+".yaml")
	if err := os.WriteFile(path+".new", data, 0o600); err != nil {
		return fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
	}
	return os.Rename(path+".new", path)
}

// kubeconfigs lists the files, tooling before application, so that its context
// is the current one.
func kubeconfigs(b box) ([]string, error) {
	entries, err := os.ReadDir(kubeDir(b))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("kubeconfigs of the sandbox: %w", err)
	}
	var paths []string
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) == ".yaml" {
			paths = append(paths, filepath.Join(kubeDir(b), entry.Name()))
		}
	}
	slices.Sort(paths)
	slices.Reverse(paths)
	return paths, nil
}
