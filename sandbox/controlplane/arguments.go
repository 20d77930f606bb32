package controlplane

import (
	"fmt"
	"strings"
)

// Paths below a cluster's folder, which is every process's working directory.
// Relative on purpose: the path of a Unix-domain socket holds little more than
// 100 bytes, and a sandbox may lie deep.
const (
	pkiDir  = "pki"
	runDir  = "run"
	logDir  = "logs"
	etcdDir = "etcd"
	// etcd takes a socket for its peers only by a name without a folder.
	etcdSocket = "unix://etcd.sock"
	peerSocket = "unix://peer.sock"

	webhookConfig    = "token-webhook.kubeconfig"
	controllerConfig = "controller-manager.kubeconfig"
	serviceCIDR      = "172.20.0.0/16" // as EKS chooses for a VPC in 10.0.0.0/8
	webhookCacheTTL  = "5s"
	serviceAccount   = "service-account"
	serving          = "serving"
	controllerClient = "controller-manager"
	webhookClient    = "webhook-client"
	kubeletClient    = "kubelet-client"
)

// controllers are those that have work to do in a cluster without nodes. The
// ones that would only make Pods for which no kubelet exists are left out.
var controllers = []string{
	"namespace-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"legacy-serviceaccount-token-cleaner-controller",
	"root-ca-certificate-publisher-controller",
	"garbage-collector-controller",
	"clusterrole-aggregation-controller",
	"resourcequota-controller",
	"validatingadmissionpolicy-status-controller",
}

// etcdArguments: one member, reachable only through sockets in a folder that
// is its owner's alone, so that neither TLS nor a port is needed.
func etcdArguments() []string {
	return []string{
		"--name=sandbox",
		"--data-dir=" + etcdDir,
		"--listen-client-urls=" + etcdSocket,
		"--advertise-client-urls=" + etcdSocket,
		"--listen-peer-urls=" + peerSocket,
		"--initial-advertise-peer-urls=" + peerSocket,
		"--initial-cluster=sandbox=" + peerSocket,
		"--log-level=warn",
		// Keep the log of changes short: there is no follower to catch up.
		"--snapshot-count=2000",
		"--auto-compaction-mode=periodic",
		"--auto-compaction-retention=10m",
	}
}

// APIAudience is what tokens for the API of a cluster of EKS are made for.
const APIAudience = "https://kubernetes.default.svc"

func apiServerArguments(port int) []string {
	issuer := endpointURL(port)
	return []string{
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--etcd-servers=" + etcdSocket,
		"--client-ca-file=" + pki("ca.crt"),
		"--tls-cert-file=" + pki(serving+".crt"),
		"--tls-private-key-file=" + pki(serving+".key"),
		"--authorization-mode=RBAC",
		"--authentication-token-webhook-config-file=" + webhookConfig,
		"--authentication-token-webhook-version=v1",
		// Short, so that a removed access entry stops working while somebody
		// looks; not zero, because every kubectl call asks several times.
		"--authentication-token-webhook-cache-ttl=" + webhookCacheTTL,
		"--service-account-issuer=" + issuer,
		"--service-account-jwks-uri=" + issuer + "/openid/v1/jwks",
		"--service-account-signing-key-file=" + pki(serviceAccount+".key"),
		"--service-account-key-file=" + pki(serviceAccount+".key"),
		// As on EKS, whose pods have tokens for this name.
		"--api-audiences=" + issuer + "," + APIAudience,
		"--service-cluster-ip-range=" + serviceCIDR,
		"--kubelet-certificate-authority=" + pki("ca.crt"),
		"--kubelet-client-certificate=" + pki(kubeletClient+".crt"),
		"--kubelet-client-key=" + pki(kubeletClient+".key"),
		// A loopback address is no endpoint for Pods, and there are none.
		"--endpoint-reconciler-type=none",
		"--advertise-address=127.0.0.1",
		"--profiling=false",
		"--shutdown-delay-duration=0s",
		"--v=1",
	}
}

func controllerManagerArguments() []string {
	return []string{
		"--kubeconfig=" + controllerConfig,
		"--controllers=" + strings.Join(controllers, ","),
		"--service-account-private-key-file=" + pki(serviceAccount+".key"),
		"--root-ca-file=" + pki("ca.crt"),
		"--use-service-account-credentials=true",
		// One instance: an election would only delay it.
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		"--secure-port=0", // serves nothing
		"--profiling=false",
		"--v=1",
	}
}

// environment is all that a control-plane process sees of ours: no
// credentials, and a garbage collector that prefers memory over speed.
func environment() []string {
	return []string{"PATH=/usr/bin:/bin", "LANG=C", "GOGC=60"}
}

func endpointURL(port int) string { return fmt.Sprintf("https://127.0.0.1:%d", port) }

func pki(file string) string { return pkiDir + "/" + file }
