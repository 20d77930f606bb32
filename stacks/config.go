package stacks

import (
	"errors"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/tags"
)

// namespace is what every key of ours begins with in Pulumi.<stack>.yaml.
const namespace = "strongroom"

// Config is the whole configuration of one stack, complete with defaults and
// checked. The `config` tags are the keys below `strongroom:` in
// Pulumi.<stack>.yaml; a key that is not here is an error.
type Config struct {
	// Stack is the name of the stack. Not a key.
	Stack string `config:"-"`

	// Role selects the program. Default: the first word of the stack's name.
	Role Role `config:"role"`

	// Name begins the names of all resources: letters of lower case, digits and
	// hyphens, at most 32. Default: the stack's name. A change replaces everything.
	Name string `config:"name"`

	// Region is the AWS region, such as "eu-west-1". Required.
	Region string `config:"region"`

	// Tags are set on everything that can have tags, beside the ones that the
	// program sets itself: strongroom:stack, strongroom:managed-by, and
	// environment (unless it is given here), which is what follows the first "-"
	// of the stack's name, or "default".
	Tags tags.Tags `config:"tags"`

	// Protect keeps stateful resources (VPC, cluster, keys, logs of the control plane, zone)
	// from being deleted or replaced until it is false. Default: true.
	Protect bool `config:"protect"`

	Network Network `config:"network"`
	Cluster Cluster `config:"cluster"`

	// PrivateZone is the domain of the private hosted zone in which Vault has its
	// name. Only for tooling. Default: "tooling.internal".
	PrivateZone string `config:"privateZone"`

	// VPN is only for tooling: the way in from outside. Default: there is none.
	VPN VPN `config:"vpn"`

	// Flux takes the cluster over from Git. Default: it does not.
	Flux Flux `config:"flux"`

	// FluxPrivateKey reads the repository of Flux: a private key without a passphrase,
	// set with --secret. Default: a key is made, see the output fluxDeployKey.
	FluxPrivateKey string `config:"fluxPrivateKey" secret:"true"`

	// GitLab is only for tooling.
	GitLab GitLab `config:"gitlab"`

	// Vault is for tooling, but for what its own keys say.
	Vault Vault `config:"vault"`

	// ToolingStack is the stack whose Vault is used, such as "tooling-staging", or
	// in full "organization/project/stack". Only for application. Default: the
	// stack's own name with "tooling" in place of "application".
	ToolingStack string `config:"toolingStack"`
}

// Network is the stack's VPC.
type Network struct {
	// CIDR is the VPC's IPv4 range, at most /16, from private address space. It may
	// not overlap the VPN range or the VPC of the tooling stack. Required.
	CIDR string `config:"cidr"`

	// Zones are at least two availability zones, as letters ("a") or in full
	// ("eu-west-1a"); after Parse always in full. Required.
	Zones []string `config:"zones"`

	// PrivatePrefix and PublicPrefix are the prefix lengths of each zone's private
	// and public subnet. Default: 4 and 8 longer than the VPC's, at most 28. A change
	// by one replaces the subnets while the old ones are still there; a change by more
	// may need the same addresses, which AWS refuses.
	PrivatePrefix int `config:"privatePrefix"`
	PublicPrefix  int `config:"publicPrefix"`

	// NAT is how private subnets reach the internet: "none", "single" (one NAT
	// gateway, in the first zone) or "perZone". Default: "single".
	NAT string `config:"nat"`

	// InterfaceEndpoints are AWS services reached inside the VPC, by short name
	// ("ecr.api", "sts"). Default: none. S3 always has a gateway endpoint.
	InterfaceEndpoints []string `config:"interfaceEndpoints"`

	// FlowLogsRetentionDays is how long flow logs are kept, one of the lengths that
	// CloudWatch Logs knows. Default: 30.
	FlowLogsRetentionDays int `config:"flowLogsRetentionDays"`
}

// Cluster is the stack's EKS cluster.
type Cluster struct {
	// Version is the Kubernetes version, in quotes: "1.36". Required.
	Version string `config:"version"`

	// PublicAccessCIDRs are the ranges from which the Kubernetes API can be reached
	// over the internet. Default: none, the API is then private to the VPC.
	PublicAccessCIDRs []string `config:"publicAccessCidrs"`

	// Admins are ARNs of IAM roles and users who administer the cluster, besides
	// the identity that creates it. Default: none.
	Admins []string `config:"admins"`

	// LogRetentionDays is how long the control plane's logs are kept, one of the
	// lengths that CloudWatch Logs knows. Default: 90.
	LogRetentionDays int `config:"logRetentionDays"`

	// NodeGroups are the managed node groups. At least one is required.
	NodeGroups []NodeGroup `config:"nodeGroups"`
}

// NodeGroup is a managed node group of EKS.
type NodeGroup struct {
	// Name is unique in the cluster. Required.
	Name string `config:"name"`

	// InstanceTypes are EC2 instance types, the preferred one first. Required.
	InstanceTypes []string `config:"instanceTypes"`

	// Min and Max bound the number of nodes. Max is required, Min defaults to 1.
	Min int `config:"min"`
	Max int `config:"max"`

	// Desired is the number of nodes. Default: Min.
	Desired int `config:"desired"`

	// DiskGiB is the size of each node's root disk in GiB. Default: 50.
	DiskGiB int `config:"diskGiB"`
}

// Flux is the repository that Flux reads, and where Flux comes from.
type Flux struct {
	// URL of the repository, with ssh:// and a user. Required.
	URL string `config:"url"`

	// Branch that is read, and that image automation writes to. Default: "main".
	Branch string `config:"branch"`

	// Path of the cluster's folder in the repository. Default: "gitops/clusters/" and
	// the stack's role.
	Path string `config:"path"`

	// KnownHosts are the lines of ssh's known_hosts for the repository's host.
	// Required: nothing is trusted on first use.
	KnownHosts string `config:"knownHosts"`

	// Charts is where the charts of flux-operator and flux-instance are: an oci://
	// address, or a folder that holds both. Default: where they are published.
	Charts string `config:"charts"`
}

// GitLab is the GitLab whose CI jobs run in the tooling cluster.
type GitLab struct {
	// URL of the server. Default: "https://gitlab.com".
	URL string `config:"url"`

	// RunnerImage is the image of CI jobs that name none, with a tag that is not
	// "latest". Default: podman as it is published; images/runner adds the AWS CLI and
	// Vault to it.
	RunnerImage string `config:"runnerImage"`
}

// defaults returns a Config with every default that does not depend on another key.
func defaults(stack string) *Config {
	return &Config{
		Stack:   stack,
		Name:    stack,
		Protect: true,
		Network: Network{NAT: "single", FlowLogsRetentionDays: 30},
		Cluster: Cluster{LogRetentionDays: 90},
		Flux:    Flux{Branch: "main"},
		GitLab:  GitLab{URL: "https://gitlab.com", RunnerImage: "quay.io/podman/stable:v5.6.2"},
		VPN:     defaultVPN(),
		Vault:   defaultVault(),
	}
}

// Load reads, completes and checks the configuration of the running stack. The
// error, if any, is a *ConfigError.
func Load(ctx *pulumi.Context) (*Config, error) {
	values, err := configValues(ctx)
	if err != nil {
		return nil, err
	}
	cfg, err := parse(ctx.Stack(), values, ctx.IsConfigSecret)
	if err != nil {
		return nil, err
	}
	return cfg, cfg.readAuthority(ctx.RootDirectory())
}

// Parse completes and checks the configuration of a stack from the values that
// Pulumi holds for it, by full key ("strongroom:network"), objects as JSON. This
// is what Load does, for use without an engine; only Load reads the files that the
// configuration names. The error, if any, is a *ConfigError.
func Parse(stack string, values map[string]string) (*Config, error) {
	// Without an engine there is nobody to say which values are encrypted.
	return parse(stack, values, isSecretKey)
}

func parse(stack string, values map[string]string, secret func(key string) bool) (*Config, error) {
	cfg := defaults(stack)
	d := decode(values, secret, cfg)
	cfg.derive(d)
	cfg.check(d)
	if len(d.problems) > 0 {
		return nil, &ConfigError{Stack: stack, Problems: d.problems}
	}
	cfg.Tags = cfg.baseTags().Merge(cfg.Tags)
	return cfg, nil
}

// derive fills in the defaults that depend on other keys.
func (c *Config) derive(d *decoder) {
	role, err := RoleOf(c.Stack, string(c.Role))
	var p Problem
	if errors.As(err, &p) {
		d.problems = append(d.problems, p)
	}
	c.Role = role

	for i, zone := range c.Network.Zones {
		if len(zone) == 1 {
			c.Network.Zones[i] = c.Region + zone
		}
	}
	for i := range c.Cluster.NodeGroups {
		g := &c.Cluster.NodeGroups[i]
		at := index("cluster.nodeGroups", i)
		if !d.has(at + ".min") {
			g.Min = 1
		}
		if !d.has(at + ".desired") {
			g.Desired = g.Min
		}
		if !d.has(at + ".diskGiB") {
			g.DiskGiB = 50
		}
	}
	if c.Role == Tooling && !d.has("privateZone") {
		c.PrivateZone = "tooling.internal"
	}
	if c.Role == Tooling && !d.has("vpn.serverName") {
		c.VPN.ServerName = "vpn." + c.PrivateZone
	}
	c.deriveVault(d)
	c.deriveVaultInside(d)
	if c.Role == Application && !d.has("toolingStack") && firstWord(c.Stack) == string(Application) {
		c.ToolingStack = string(Tooling) + strings.TrimPrefix(c.Stack, string(Application))
	}
}

// baseTags are the tags that the program sets itself.
func (c *Config) baseTags() tags.Tags {
	return tags.Tags{
		"strongroom:stack":      c.Stack,
		"strongroom:managed-by": "pulumi",
		"environment":           c.environment(),
	}
}

// environment is what follows the first "-" of the stack's name.
func (c *Config) environment() string {
	_, environment, _ := strings.Cut(c.Stack, "-")
	if environment == "" {
		return "default"
	}
	return environment
}
