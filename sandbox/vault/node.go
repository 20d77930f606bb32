package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// node is one server: a pod of the StatefulSet, played by a process.
type node struct {
	// Name is the pod's: "vault-0".
	Name string `json:"name"`
	// Port and ClusterPort are on 127.0.0.1 and never change.
	Port        int `json:"port"`
	ClusterPort int `json:"clusterPort"`

	dir string
}

func (n *node) url() string      { return "https://127.0.0.1:" + strconv.Itoa(n.Port) }
func (n *node) dataDir() string  { return filepath.Join(n.dir, "data") }
func (n *node) auditDir() string { return filepath.Join(n.dir, "audit") }
func (n *node) tlsDir() string   { return filepath.Join(filepath.Dir(n.dir), "tls") }
func (n *node) config() string   { return filepath.Join(n.dir, "vault.hcl") }
func (n *node) log() string      { return filepath.Join(n.dir, "vault.log") }

// folders makes the node's folders.
func (n *node) folders() error {
	for _, dir := range []string{n.dataDir(), n.auditDir()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("folder of %s: %w", n.Name, err)
		}
	}
	return nil
}

// wipe empties the node's storage, as a new volume would be.
func (n *node) wipe() error {
	return errors.Join(os.RemoveAll(n.dataDir()), n.folders())
}

// environment is what the pod would have, and no more than that: nothing of the
// person's own environment reaches Vault.
func (n *node) environment(config Config) []string {
	environment := []string{
		"HOME=" + n.dir,
		"VAULT_RAFT_NODE_ID=" + n.Name,
		"VAULT_API_ADDR=" + n.url(),
		"VAULT_CLUSTER_ADDR=https://127.0.0.1:" + strconv.Itoa(n.ClusterPort),
		"VAULT_LOG_FORMAT=standard",
		// Vault reads it, not AWS_ENDPOINT_URL, for its seal.
		"AWS_KMS_ENDPOINT=" + config.Endpoint,
		"AWS_REGION=" + config.Region,
		"AWS_EC2_METADATA_DISABLED=true",
	}
	if pods := config.Pods; pods != nil {
		host, port, _ := strings.Cut(pods.APIServer, ":")
		environment = append(environment,
			"KUBERNETES_SERVICE_HOST="+host, "KUBERNETES_SERVICE_PORT="+port,
			"VAULT_K8S_NAMESPACE="+pods.Namespace, "VAULT_K8S_POD_NAME="+n.Name,
			// tools/vault looks there for what lies at a fixed place in a pod.
			"STRONGROOM_SERVICE_ACCOUNT_DIR="+pods.ServiceAccount)
	}
	return append(environment, config.Environment...)
}
