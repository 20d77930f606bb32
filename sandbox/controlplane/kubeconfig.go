package controlplane

import (
	"fmt"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// kubeconfig renders the file with which a process of the control plane
// reaches server, known by the certificate pki/<client>.crt. Its paths are
// relative to the cluster's folder, where the file lies.
func kubeconfig(server, client string) ([]byte, error) {
	const name = "sandbox"
	config := clientcmdapi.NewConfig()
	config.Clusters[name] = &clientcmdapi.Cluster{Server: server, CertificateAuthority: pki("ca.crt")}
	config.AuthInfos[name] = &clientcmdapi.AuthInfo{ClientCertificate: pki(client + ".crt"), ClientKey: pki(client + ".key")}
	config.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	config.CurrentContext = name
	data, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("configuration of %s for %s: %w", client, server, err)
	}
	return data, nil
}
