package kubernetes

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"k8s.io/client-go/tools/clientcmd"
	clientapi "k8s.io/client-go/tools/clientcmd/api"
)

// errNoKubeconfig says that none was given: the sandbox never falls back to the person's
// own ~/.kube/config, because that is a real cluster.
var errNoKubeconfig = errors.New("no kubeconfig: set the provider's kubeconfig to the one of a simulated cluster, " +
	"as contents or as a path (the sandbox does not use KUBECONFIG or ~/.kube/config)")

// loadKubeconfig reads a kubeconfig given as its contents or as a path.
func loadKubeconfig(pathOrContents string) (*clientapi.Config, error) {
	if pathOrContents == "" {
		return nil, errNoKubeconfig
	}
	contents := []byte(pathOrContents)
	if !bytes.ContainsAny(contents, "\n{:") {
		read, err := os.ReadFile(pathOrContents)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("kubeconfig: no file %q, and it is not the contents of one", pathOrContents)
		}
		if err != nil {
			return nil, fmt.Errorf("kubeconfig: %w", err)
		}
		contents = read
	}
	config, err := clientcmd.Load(contents)
	if err != nil {
		// The parser's message can quote the contents, which may hold credentials.
		return nil, errors.New("kubeconfig: cannot be read: expected YAML or JSON of kind Config")
	}
	if len(config.Clusters) == 0 {
		return nil, errors.New("kubeconfig: names no cluster")
	}
	return config, nil
}

// clientConfig applies the settings to the kubeconfig.
func clientConfig(s settings) (clientcmd.ClientConfig, error) {
	config, err := loadKubeconfig(s.kubeconfig)
	if err != nil {
		return nil, err
	}
	return clientcmd.NewDefaultClientConfig(*config, &clientcmd.ConfigOverrides{
		CurrentContext: s.context,
		Context:        clientapi.Context{Cluster: s.cluster, Namespace: s.namespace},
	}), nil
}

// activeCluster returns the cluster that the settings talk to, nil for none.
func activeCluster(s settings) (*clientapi.Cluster, error) {
	if s.kubeconfig == "" {
		return nil, nil
	}
	config, err := loadKubeconfig(s.kubeconfig)
	if err != nil {
		return nil, err
	}
	name := s.cluster
	if name == "" {
		current := s.context
		if current == "" {
			current = config.CurrentContext
		}
		context, ok := config.Contexts[current]
		if !ok {
			return nil, nil
		}
		name = context.Cluster
	}
	return config.Clusters[name], nil
}

// sameCluster compares what identifies a cluster in a kubeconfig.
func sameCluster(a, b *clientapi.Cluster) bool {
	return a.Server == b.Server && a.TLSServerName == b.TLSServerName && a.ProxyURL == b.ProxyURL &&
		a.InsecureSkipTLSVerify == b.InsecureSkipTLSVerify && a.CertificateAuthority == b.CertificateAuthority &&
		bytes.Equal(a.CertificateAuthorityData, b.CertificateAuthorityData)
}

// defaultNamespace is the namespace of objects that name none: the setting, else the
// context's, else "default".
func defaultNamespace(s settings) string {
	if config, err := clientConfig(s); err == nil {
		if namespace, _, err := config.Namespace(); err == nil && namespace != "" {
			return namespace
		}
	}
	if s.namespace != "" {
		return s.namespace
	}
	return "default"
}
