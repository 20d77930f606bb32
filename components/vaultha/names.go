package vaultha

import "fmt"

// Names inside of the cluster. The tree in gitops/ has the same ones.
const (
	// Namespace is where Vault and what belongs to it runs.
	Namespace = "vault"
	// Release is the name of the chart's release, which begins the names of its
	// objects.
	Release = "vault"
	// ValuesSecret holds the chart's values under ValuesKey.
	ValuesSecret = "vault-helm-values"
	ValuesKey    = "values.yaml"
	// TLSSecret holds ca.crt, tls.crt and tls.key.
	TLSSecret = "vault-tls"

	// ServerAccount, InitAccount and SnapshotAccount are the service accounts of the
	// servers, of the first start (and of Pulumi, inside Vault) and of the snapshots.
	ServerAccount   = "vault"
	InitAccount     = "vault-provisioner"
	SnapshotAccount = "vault-snapshot"

	// SnapshotPrefix begins the keys of all snapshots.
	SnapshotPrefix = "snapshots/"

	apiPort     = 8200
	clusterPort = 8201

	tlsPath   = "/vault/userconfig/" + TLSSecret
	dataPath  = "/vault/data"
	auditPath = "/vault/audit"
	// vaultUser and vaultGroup are those of the image hashicorp/vault.
	vaultUser  = 100
	vaultGroup = 1000
)

// peerName is the name of a server as its peers know it, through the headless
// service of the chart.
func peerName(i int) string { return fmt.Sprintf("%s-%d.%s-internal", Release, i, Release) }

// peerAddress is where the API of a server answers inside of the namespace.
func peerAddress(i int) string { return fmt.Sprintf("https://%s:%d", peerName(i), apiPort) }

// peers are the addresses of all servers.
func (a *Args) peers() []string {
	peers := make([]string, a.Replicas)
	for i := range peers {
		peers[i] = peerAddress(i)
	}
	return peers
}

// dnsNames are all names of the servers: the private one, each peer's, those of the
// chart's services, and loopback for port-forwards and for the pods themselves.
func (a *Args) dnsNames() []string {
	names := []string{a.Hostname, "localhost"}
	inCluster := []string{Release, Release + "-active", Release + "-standby", Release + "-internal"}
	for i := range a.Replicas {
		inCluster = append(inCluster, peerName(i))
	}
	for _, name := range inCluster {
		names = append(names, name, name+"."+Namespace, name+"."+Namespace+".svc", name+"."+Namespace+".svc.cluster.local")
	}
	return names
}

// ipAddresses are the loopback addresses.
func (a *Args) ipAddresses() []string { return []string{"127.0.0.1", "::1"} }
