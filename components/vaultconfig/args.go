package vaultconfig

import (
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Audience is what every token of a service account must be made for.
const Audience = "vault"

// Args of a VaultConfig.
type Args struct {
	// Owner begins the names of policies and database roles, which all stacks share:
	// "tooling" gives "tooling-runner".
	Owner string
	// KVMount and DatabaseMount are the paths of the engines, such as "kv".
	KVMount       string
	DatabaseMount string
	// OwnEngines makes the two engines and the connections of Databases. Without it they
	// are another stack's, and only roles are made.
	OwnEngines bool
	// Databases that workloads can have users in.
	Databases []Database
	// DatabaseOwners are the stacks, by Owner, whose roles may use the connections.
	// Only with OwnEngines. The own one always may.
	DatabaseOwners []string

	// Cluster lets the service accounts of a cluster log in; nil: none.
	Cluster *Cluster
	// AppRole lets machines log in with a role id and a secret id of one use.
	AppRole bool
	// AWS lets IAM roles log in; nil: none.
	AWS *AWS
	// GitLab lets CI jobs log in; nil: none.
	GitLab *GitLab

	Workloads []Workload

	// Vault is what the servers go with, such as their cluster. See builder.child.
	Vault pulumi.Resource
	// Protect the engines: with them go all secrets.
	Protect bool
}

// Method is how the tokens of a cluster's service accounts are verified.
type Method string

const (
	// Local asks the API of the cluster that Vault itself runs in, as Vault's own
	// service account.
	Local Method = "local"
	// JWT verifies the signature by the keys that the cluster's OIDC issuer publishes.
	// Vault needs no way to the API and no credential; a token is good until it expires,
	// even when its pod is gone.
	JWT Method = "jwt"
	// Kubernetes asks the API of another cluster as the client itself, whose service
	// account needs the cluster role system:auth-delegator. A token ends with its pod. It
	// must be one that the API itself accepts, as the one is that every pod has: Vault
	// then holds, for a moment, a token that could be used at that API.
	Kubernetes Method = "kubernetes"
)

// Cluster is a Kubernetes cluster whose service accounts log in.
type Cluster struct {
	Method Method
	// Endpoint is the URL of the Kubernetes API.
	Endpoint pulumi.StringInput
	// CertificateAuthority is base64 of PEM, as in a kubeconfig.
	CertificateAuthority pulumi.StringInput
	// OIDCIssuer is the URL that its tokens name as issuer. Only for JWT.
	OIDCIssuer pulumi.StringInput
	// APIAudience is what tokens for the API are made for. Only for Kubernetes. Default:
	// "https://kubernetes.default.svc", as on EKS.
	APIAudience pulumi.StringInput
}

// AWS is the account whose IAM roles log in.
type AWS struct {
	Region string
	// STSEndpoint verifies who signed a login. Default: the region's own.
	STSEndpoint string
	// ServerID must be in the signed part of a login, so that one that was made for
	// another service is refused. Use the name of Vault.
	ServerID string
}

// GitLab is the instance whose jobs log in.
type GitLab struct {
	// URL is the issuer in the jobs' ID tokens, such as "https://gitlab.com".
	URL string
	// PublicKeys are PEM. Without them Vault reads the keys from the URL.
	PublicKeys []string
	// Audience that the jobs ask for (id_tokens: aud). Use the address of Vault.
	Audience string
}

// Database is a server that Vault makes users in.
type Database struct {
	Name string
	// Engine is "postgresql" or "mysql".
	Engine string
	// Address is host:port. Only with OwnEngines, as are the ones that follow.
	Address string
	// Username of the user that Vault makes other users with.
	Username string
	// CA verifies the server, in PEM. Empty: one that the system trusts.
	CA string
	// InsecurePlain turns TLS off, for a server on loopback.
	InsecurePlain bool
	// Database is what the users can connect to.
	Database string
}

// Workload is someone who logs in and what it may do. It has exactly one way to log in:
// a service account of the cluster, an AppRole, IAM roles, or GitLab jobs.
type Workload struct {
	Name string

	Namespace      string
	ServiceAccount string

	AppRole     bool
	IAMRoleARNs []string
	GitLab      *GitLabJob

	Secrets  []Secret
	Database *DatabaseUser

	// TTL of the token and how long it can be renewed for. Defaults: 1 h and 24 h.
	TTL, MaxTTL time.Duration
}

// GitLabJob says which jobs are meant.
type GitLabJob struct {
	// Project is the full path, "group/project".
	Project string
	Branch  string
	// Unprotected also admits jobs of the branch while GitLab does not protect it.
	Unprotected bool
}

// Secret is a path in the kv engine, as `vault kv get` has it: with the mount in front,
// and "/*" at the end for all below.
type Secret struct {
	Path string
	// Write also allows new versions and soft deletion.
	Write bool
}

// DatabaseUser is a user that exists for as long as its lease.
type DatabaseUser struct {
	// Name of one of the Databases.
	Name string
	// Write also allows INSERT, UPDATE and DELETE. Nobody may create or drop.
	Write bool
	// TTL of the lease and how long it can be renewed for. Defaults: 1 h and 24 h.
	TTL, MaxTTL time.Duration
}

const (
	defaultTTL    = time.Hour
	defaultMaxTTL = 24 * time.Hour
)

// or returns a duration, or its default.
func or(d, fallback time.Duration) time.Duration {
	if d == 0 {
		return fallback
	}
	return d
}

func (a *Args) inputs() pulumi.Map {
	names := make(pulumi.StringArray, len(a.Workloads))
	for i, w := range a.Workloads {
		names[i] = pulumi.String(w.Name)
	}
	databases := make(pulumi.StringArray, len(a.Databases))
	for i, d := range a.Databases {
		databases[i] = pulumi.String(d.Name)
	}
	return pulumi.Map{
		"owner":         pulumi.String(a.Owner),
		"kvMount":       pulumi.String(a.KVMount),
		"databaseMount": pulumi.String(a.DatabaseMount),
		"ownEngines":    pulumi.Bool(a.OwnEngines),
		"databases":     databases,
		"workloads":     names,
		"protect":       pulumi.Bool(a.Protect),
	}
}
