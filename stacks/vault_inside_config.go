package stacks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/vaultconfig"
	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
)

// VaultAccess is how the program reaches Vault to declare what is inside of it.
type VaultAccess struct {
	// Mode is "tunnel" (through the API of Vault's cluster, from anywhere that reaches
	// it) or "direct" (the private address, from inside of the VPC or over the VPN).
	// Default: "tunnel".
	Mode string `config:"mode"`

	// Port on loopback where the tunnel begins. It is part of the state, so that it is
	// the same for everybody. Default: 18200.
	Port int `config:"port"`

	// WaitMinutes is how long an `up` waits until Vault is initialised and unsealed and
	// lets it in. Default: 30.
	WaitMinutes int `config:"waitMinutes"`
}

// VaultLogins are the ways to log in to Vault. The service accounts of the stack's
// cluster always can.
type VaultLogins struct {
	// Cluster is how the tokens of an application cluster are verified: "jwt", by the
	// keys of its OIDC issuer, or "kubernetes", by its API. Only for application.
	// Default: "jwt". docs/vault-tenants.md has the difference.
	Cluster string `config:"cluster"`

	// AppRole lets machines log in that have no identity of their own. Only for tooling,
	// as all that follows. Default: false.
	AppRole bool `config:"appRole"`

	// AWS lets IAM roles log in. Default: false.
	AWS bool `config:"aws"`

	// STSEndpoint is where Vault verifies their logins. Default: that of the region.
	STSEndpoint string `config:"stsEndpoint"`

	// GitLab lets CI jobs of strongroom:gitlab.url log in. Default: false.
	GitLab bool `config:"gitlab"`

	// GitLabPublicKeys are the keys, in PEM, that sign the jobs' tokens. Default: Vault
	// reads them from the GitLab.
	GitLabPublicKeys []string `config:"gitlabPublicKeys"`
}

// VaultDatabase is a server that Vault makes users in. Its password is no setting:
// docs/vault-tenants.md says how it is handed over.
type VaultDatabase struct {
	Name string `config:"name"`
	// Engine is "postgresql" or "mysql".
	Engine string `config:"engine"`
	// Address is host:port.
	Address string `config:"address"`
	// Username of the user that Vault makes other users with.
	Username string `config:"username"`
	// CA verifies the server, in PEM. Default: the authorities that Vault's image trusts.
	CA string `config:"ca"`
	// InsecurePlain turns TLS off, for a server on loopback.
	InsecurePlain bool `config:"insecurePlain"`
	// Database is what the users can connect to.
	Database string `config:"database"`
}

// VaultWorkload is someone who logs in to Vault, in exactly one way, and what it may do.
type VaultWorkload struct {
	Name string `config:"name"`

	// Namespace and ServiceAccount of the stack's cluster.
	Namespace      string `config:"namespace"`
	ServiceAccount string `config:"serviceAccount"`

	// AppRole, IAMRoleARNs and GitLab are the other ways. Only for tooling.
	AppRole     bool           `config:"appRole"`
	IAMRoleARNs []string       `config:"iamRoleArns"`
	GitLab      VaultGitLabJob `config:"gitlab"`

	// Secrets it may read, or with write also change.
	Secrets []VaultSecret `config:"secrets"`
	// Database that it gets users in.
	Database VaultDatabaseUser `config:"database"`

	// TTL of its token, and how long it can be renewed for, such as "30m".
	// Defaults: 1h and 24h.
	TTL    string `config:"ttl"`
	MaxTTL string `config:"maxTtl"`
}

// VaultGitLabJob says which jobs are meant: those of one branch of one project.
type VaultGitLabJob struct {
	Project string `config:"project"`
	Branch  string `config:"branch"`
	// Unprotected also admits jobs while GitLab does not protect the branch.
	Unprotected bool `config:"unprotected"`
}

// VaultSecret is a path as `vault kv get` has it, "secret/shop/orders", or with "/*" at
// the end all that is below.
type VaultSecret struct {
	Path  string `config:"path"`
	Write bool   `config:"write"`
}

// VaultDatabaseUser is a database user that lives as long as its lease.
type VaultDatabaseUser struct {
	Name  string `config:"name"`
	Write bool   `config:"write"`
	// TTL of the lease, and how long it can be renewed for. Defaults: 1h and 24h.
	TTL    string `config:"ttl"`
	MaxTTL string `config:"maxTtl"`
}

// Mounts of the engines. What gitops/ reads is below the first.
const (
	vaultKVMount       = "secret"
	vaultDatabaseMount = "database"
)

// vaultServerWorkload is what the tree in gitops/ needs: External Secrets reads the
// runner's token. One of the same name in the configuration takes its place.
func vaultServerWorkload() VaultWorkload {
	return VaultWorkload{
		Name: "external-secrets", Namespace: "external-secrets", ServiceAccount: "external-secrets",
		Secrets: []VaultSecret{{Path: vaultKVMount + "/ci/gitlab-runner"}},
	}
}

// applicationVaultKeys are the keys of strongroom:vault that an application stack has.
var applicationVaultKeys = []string{"access", "logins", "workloads"}

// deriveVaultInside fills in what depends on other keys.
func (c *Config) deriveVaultInside(d *decoder) {
	c.Vault.declared = d.has("vault.workloads")
	switch c.Role {
	case Tooling:
		if c.Vault.declared && !d.has("vault.applications") {
			c.Vault.Applications = []string{string(Application) + strings.TrimPrefix(c.Stack, string(Tooling))}
		}
		own := vaultServerWorkload()
		if c.Vault.declared && !slices.ContainsFunc(c.Vault.Workloads, func(w VaultWorkload) bool { return w.Name == own.Name }) {
			c.Vault.Workloads = append(c.Vault.Workloads, own)
		}
	case Application:
		if !d.has("vault.logins.cluster") {
			c.Vault.Logins.Cluster = string(vaultconfig.JWT)
		}
	}
}

// checkVaultInside checks what both stacks have, and lets the component say what it
// cannot make.
func (c *Config) checkVaultInside(d *decoder) {
	a := c.Vault.Access
	if modes := []string{string(vaultaccess.Tunnel), string(vaultaccess.Direct)}; !slices.Contains(modes, a.Mode) {
		d.problemf("vault.access.mode", "%q is no way to Vault: expected one of %s", a.Mode, quoted(modes))
	}
	if a.Port < 1024 || a.Port > 65535 {
		d.problemf("vault.access.port", "%d is no usable port: expected 1024 to 65535", a.Port)
	}
	if a.WaitMinutes < 1 || a.WaitMinutes > 24*60 {
		d.problemf("vault.access.waitMinutes", "%d minutes are no usable limit: expected 1 to %d", a.WaitMinutes, 24*60)
	}
	if !c.Vault.declared {
		for _, key := range []string{"logins", "applications", "databases"} {
			if d.has("vault." + key) {
				d.problemf("vault."+key, "has no effect: nothing inside of Vault is declared without %s:vault.workloads, "+
					"which may be an empty list", namespace)
			}
		}
		return
	}
	args := c.vaultInside(d)
	if c.Role == Tooling {
		if d.has("vault.logins.cluster") {
			d.problem("vault.logins.cluster", "only an application stack has this key: "+
				"of its own cluster Vault asks the API")
		}
		for i, name := range c.Vault.Applications {
			checkName(d, index("vault.applications", i), name)
		}
		d.reportAll(args.Problems())
		return
	}
	c.checkApplicationVault(d)
	// Which databases there are, the tooling stack knows: see checkAgainst.
	for _, w := range args.Workloads {
		if w.Database != nil {
			args.Databases = append(args.Databases, vaultconfig.Database{Name: w.Database.Name})
		}
	}
	d.reportAll(slices.DeleteFunc(args.Problems(), func(p vaultconfig.Problem) bool {
		return strings.HasPrefix(p.Path, "databases[")
	}))
}

// checkApplicationVault checks what needs no look at the tooling stack.
func (c *Config) checkApplicationVault(d *decoder) {
	methods := []string{string(vaultconfig.JWT), string(vaultconfig.Kubernetes)}
	if !slices.Contains(methods, c.Vault.Logins.Cluster) {
		d.problemf("vault.logins.cluster", "%q is no way to verify tokens: expected one of %s", c.Vault.Logins.Cluster, quoted(methods))
	}
	for _, key := range []string{"appRole", "aws", "stsEndpoint", "gitlab", "gitlabPublicKeys"} {
		if d.has("vault.logins." + key) {
			d.problem("vault.logins."+key, "only a tooling stack has this key: the way to log in is shared, remove it")
		}
	}
	for i, w := range c.Vault.Workloads {
		at := index("vault.workloads", i)
		for _, key := range []string{"appRole", "iamRoleArns", "gitlab"} {
			if d.has(at + "." + key) {
				d.problemf(at+"."+key, "workload %q: only a tooling stack has this key: here a workload is a service account", w.Name)
			}
		}
	}
}

// vaultInside returns the arguments of what is inside of Vault, without those that come
// from other resources or from the tooling stack.
func (c *Config) vaultInside(d *decoder) *vaultconfig.Args {
	v := c.Vault
	args := &vaultconfig.Args{
		Owner:         c.Name,
		KVMount:       vaultKVMount,
		DatabaseMount: vaultDatabaseMount,
		// Known when they are made; that they are there is checked before.
		Cluster: &vaultconfig.Cluster{
			Method: vaultconfig.Local, Endpoint: pulumi.String(""), CertificateAuthority: pulumi.String(""), OIDCIssuer: pulumi.String(""),
		},
		Protect: c.Protect,
	}
	if c.Role == Tooling {
		args.OwnEngines = true
		args.DatabaseOwners = v.Applications
		args.AppRole = v.Logins.AppRole
		if v.Logins.AWS {
			args.AWS = &vaultconfig.AWS{Region: c.Region, STSEndpoint: v.Logins.STSEndpoint, ServerID: c.vaultHostname()}
		}
		if v.Logins.GitLab {
			args.GitLab = &vaultconfig.GitLab{
				URL: c.GitLab.URL, PublicKeys: v.Logins.GitLabPublicKeys,
				Audience: fmt.Sprintf("https://%s:%d", c.vaultHostname(), vaultPort),
			}
		}
		for _, database := range v.Databases {
			args.Databases = append(args.Databases, vaultconfig.Database(database))
		}
	} else {
		args.Cluster.Method = vaultconfig.Method(v.Logins.Cluster)
	}
	for i, w := range v.Workloads {
		args.Workloads = append(args.Workloads, w.workload(d, index("vault.workloads", i)))
	}
	return args
}

// workload converts an entry, which is at a path of the configuration.
func (w *VaultWorkload) workload(d *decoder, at string) vaultconfig.Workload {
	out := vaultconfig.Workload{
		Name: w.Name, Namespace: w.Namespace, ServiceAccount: w.ServiceAccount,
		AppRole: w.AppRole, IAMRoleARNs: w.IAMRoleARNs,
		TTL: w.duration(d, at+".ttl", w.TTL), MaxTTL: w.duration(d, at+".maxTtl", w.MaxTTL),
	}
	if w.GitLab != (VaultGitLabJob{}) || d.has(at+".gitlab") {
		job := vaultconfig.GitLabJob(w.GitLab)
		out.GitLab = &job
	}
	for _, s := range w.Secrets {
		out.Secrets = append(out.Secrets, vaultconfig.Secret(s))
	}
	if w.Database != (VaultDatabaseUser{}) || d.has(at+".database") {
		u := w.Database
		out.Database = &vaultconfig.DatabaseUser{
			Name: u.Name, Write: u.Write,
			TTL: w.duration(d, at+".database.ttl", u.TTL), MaxTTL: w.duration(d, at+".database.maxTtl", u.MaxTTL),
		}
	}
	return out
}

// duration reads a time; none is the default.
func (w *VaultWorkload) duration(d *decoder, at, value string) time.Duration {
	if value == "" {
		return 0
	}
	t, err := time.ParseDuration(value)
	if err != nil || t <= 0 {
		d.problemf(at, "workload %q: %q is no time: expected one such as %q", w.Name, value, "30m")
		return 0
	}
	return t
}

// reportAll reports what the component found, by the key that each comes from.
func (d *decoder) reportAll(problems []vaultconfig.Problem) {
	for _, p := range problems {
		d.problem(vaultKey(p.Path), p.Message)
	}
}

// vaultKey is the key of an argument of the component.
func vaultKey(path string) string {
	for argument, key := range map[string]string{
		"owner":             "name",
		"cluster":           "vault.logins.cluster",
		"cluster.method":    "vault.logins.cluster",
		"aws.region":        "region",
		"aws.serverId":      "privateZone",
		"aws.stsEndpoint":   "vault.logins.stsEndpoint",
		"gitlab.url":        "gitlab.url",
		"gitlab.audience":   "privateZone",
		"gitlab.publicKeys": "vault.logins.gitlabPublicKeys",
	} {
		if rest, ok := strings.CutPrefix(path, argument); ok && (rest == "" || rest[0] == '[') {
			return key + rest
		}
	}
	return "vault." + path
}
