package vault

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// localise turns the configuration that was rendered for a pod into one for a
// process on this machine. This is the one place where the two differ:
//
//	listener address ...:8200           127.0.0.1:<port of the node>
//	listener cluster_address ...:8201   127.0.0.1:<its port for the cluster>
//	https://vault-<n>.vault-internal:8200, also with the namespace behind it
//	                                    https://127.0.0.1:<port of node n>
//	/vault/userconfig/vault-tls         the folder with the Secret's files
//	/vault/data, /vault/audit           folders of the node
//	service_registration "kubernetes"   left out where there is no pod to be labelled
//
// leader_tls_servername, certificates, the seal and everything else stay as they
// are: a node proves its own name to its peers. What is left of a pod's paths and
// names afterwards is an error.
func localise(c Config, node *node, all []*node) (string, error) {
	config := c.HCL
	if c.Pods == nil {
		config = serviceRegistration.ReplaceAllString(config, "")
	}
	for pattern, port := range map[*regexp.Regexp]int{listenerAddress: node.Port, clusterAddress: node.ClusterPort} {
		config = pattern.ReplaceAllString(config, `${1}"127.0.0.1:`+strconv.Itoa(port)+`"`)
	}
	var unknown error
	config = peerAddress.ReplaceAllStringFunc(config, func(address string) string {
		index, err := strconv.Atoi(peerAddress.FindStringSubmatch(address)[1])
		if err != nil || index >= len(all) {
			unknown = fmt.Errorf("the configuration of Vault names the peer %s, and there are %d servers", address, len(all))
			return address
		}
		return all[index].url()
	})
	if unknown != nil {
		return "", unknown
	}
	for from, to := range map[string]string{
		"/vault/userconfig/vault-tls": node.tlsDir(), "/vault/data": node.dataDir(), "/vault/audit": node.auditDir(),
	} {
		if strings.ContainsAny(to, `"\`) {
			return "", fmt.Errorf("the folder %s cannot be written in Vault's configuration: choose another with STRONGROOM_SANDBOX_DIR", to)
		}
		config = strings.ReplaceAll(config, from, filepath.ToSlash(to))
	}
	if left := ofAPod.FindString(config); left != "" {
		return "", fmt.Errorf("the configuration of Vault says %q, which the sandbox does not know how to play: see sandbox/vault/config.go", left)
	}
	return config, nil
}

var (
	serviceRegistration = regexp.MustCompile(`(?m)^\s*service_registration\s+"kubernetes"\s*\{[^}]*\}\s*$`)
	listenerAddress     = regexp.MustCompile(`(?m)^(\s*address\s*=\s*)"[^"]*:8200"`)
	clusterAddress      = regexp.MustCompile(`(?m)^(\s*cluster_address\s*=\s*)"[^"]*:8201"`)
	peerAddress         = regexp.MustCompile(`https://vault-(\d+)\.vault-internal[a-z0-9.-]*:8200`)
	ofAPod              = regexp.MustCompile(`(:820[01]"|"/vault/[a-z]*)`)
)
