package stacks

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// object is a YAML object of Pulumi.<stack>.yaml.
type object = map[string]any

// valid returns a small configuration with only what is required.
func valid() object {
	return object{
		"region":  "eu-west-1",
		"network": object{"cidr": "10.10.0.0/16", "zones": []any{"a", "b", "c"}},
		"cluster": object{
			"version":    "1.36",
			"nodeGroups": []any{object{"name": "general", "instanceTypes": []any{"m6i.large"}, "max": 3}},
		},
	}
}

// values renders keys below "strongroom:" as Pulumi hands them over: objects and
// lists as JSON, anything else as it is written.
func values(t testing.TB, keys object) map[string]string {
	t.Helper()
	out := map[string]string{}
	for key, value := range keys {
		if !strings.Contains(key, ":") {
			key = namespace + ":" + key
		}
		switch v := value.(type) {
		case object, []any:
			encoded, err := json.Marshal(v)
			require.NoError(t, err)
			out[key] = string(encoded)
		default:
			out[key] = fmt.Sprint(v)
		}
	}
	return out
}

// set returns the valid configuration with the key at a dotted path set, or with
// value nil removed. A list is entered at its first item.
func set(path string, value any) object {
	keys := valid()
	var at any = keys
	steps := strings.Split(path, ".")
	for _, step := range steps[:len(steps)-1] {
		next, ok := at.(object)[step]
		if !ok {
			next = object{}
			at.(object)[step] = next
		}
		if list, ok := next.([]any); ok {
			next = list[0]
		}
		at = next
	}
	last := steps[len(steps)-1]
	if value == nil {
		delete(at.(object), last)
	} else {
		at.(object)[last] = value
	}
	return keys
}

func TestDefaults(t *testing.T) {
	cfg, err := Parse("tooling-staging", values(t, valid()))
	require.NoError(t, err)
	assert.Equal(t, &Config{
		Stack:  "tooling-staging",
		Role:   Tooling,
		Name:   "tooling-staging",
		Region: "eu-west-1",
		Tags: map[string]string{
			"strongroom:stack":      "tooling-staging",
			"strongroom:managed-by": "pulumi",
			"environment":           "staging",
		},
		Protect: true,
		Network: Network{
			CIDR:                  "10.10.0.0/16",
			Zones:                 []string{"eu-west-1a", "eu-west-1b", "eu-west-1c"},
			NAT:                   "single",
			FlowLogsRetentionDays: 30,
		},
		Cluster: Cluster{
			Version:          "1.36",
			LogRetentionDays: 90,
			NodeGroups: []NodeGroup{{
				Name: "general", InstanceTypes: []string{"m6i.large"}, Min: 1, Max: 3, Desired: 1, DiskGiB: 50,
			}},
		},
		PrivateZone: "tooling.internal",
		Vault:       tooledVault(),
		VPN:         VPN{ServerName: "vpn.tooling.internal", SessionHours: 8, LogRetentionDays: 90},
		Flux:        Flux{Branch: "main"},
		GitLab:      GitLab{URL: "https://gitlab.com", RunnerImage: "quay.io/podman/stable:v5.6.2"},
	}, cfg)
}

// tooledVault is the Vault of a tooling stack that says nothing about it.
func tooledVault() Vault {
	v := defaultVault()
	v.Storage.StorageClass = "gp3"
	return v
}

func TestEveryKeyIsRead(t *testing.T) {
	cfg, err := Parse("prod", values(t, object{
		"role":    "tooling",
		"name":    "vault-prod",
		"region":  "us-gov-west-1",
		"tags":    object{"environment": "prod", "cost-center": "7"},
		"protect": false,
		"network": object{
			"cidr": "100.64.0.0/18", "zones": []any{"us-gov-west-1a", "b"}, "privatePrefix": 22, "publicPrefix": 25,
			"nat": "perZone", "interfaceEndpoints": []any{"ecr.api", "eks-auth"}, "flowLogsRetentionDays": 7,
		},
		"cluster": object{
			"version": "1.35", "publicAccessCidrs": []any{"198.51.100.7/32"},
			"admins": []any{"arn:aws-us-gov:iam::123456789012:role/team/admin"}, "logRetentionDays": 14,
			"nodeGroups": []any{object{
				"name": "big", "instanceTypes": []any{"m6i.2xlarge", "m7i-flex.2xlarge"}, "min": 0, "max": 9, "desired": 4, "diskGiB": 100,
			}},
		},
		"privateZone": "vault.example.com",
		"vpn": object{
			"clientCidr": "10.100.0.0/22", "serverName": "vpn.example.com", "dnsServer": "100.64.0.10", "sessionHours": 12, "banner": "hello",
			"logRetentionDays": 365, "certificateDays": 90, "authorityDays": 1000,
		},
		"flux": object{
			"url": "ssh://git@git.example.com:2222/s.git", "branch": "release", "path": "clusters/prod",
			"knownHosts": "[git.example.com]:2222 " + hostKey, "charts": "oci://registry.example.com/charts",
		},
		"gitlab": object{"url": "https://gitlab.example.com", "runnerImage": "registry.example.com/runner:1.2.3"},
		"vault": object{
			"replicas": 5, "storage": object{"type": "efs", "sizeGiB": 20, "auditSizeGiB": 30},
			"image":       object{"repository": "registry.example.com/vault", "tag": "2.0.3"},
			"certificate": object{"days": 90, "renewBeforeDays": 10}, "ca": object{"days": 1000, "trusted": []any{1, 2}, "active": 2},
			"recoveryWindowDays": 7, "snapshotRetentionDays": 60,
			"access": object{"mode": "direct", "port": 8201, "waitMinutes": 5},
		},
	}))
	require.NoError(t, err)
	assert.Equal(t, &Config{
		Stack: "prod", Role: Tooling, Name: "vault-prod", Region: "us-gov-west-1", Protect: false,
		Tags: map[string]string{
			"strongroom:stack": "prod", "strongroom:managed-by": "pulumi", "environment": "prod", "cost-center": "7",
		},
		Network: Network{
			CIDR: "100.64.0.0/18", Zones: []string{"us-gov-west-1a", "us-gov-west-1b"}, PrivatePrefix: 22, PublicPrefix: 25,
			NAT: "perZone", InterfaceEndpoints: []string{"ecr.api", "eks-auth"}, FlowLogsRetentionDays: 7,
		},
		Cluster: Cluster{
			Version: "1.35", PublicAccessCIDRs: []string{"198.51.100.7/32"},
			Admins: []string{"arn:aws-us-gov:iam::123456789012:role/team/admin"}, LogRetentionDays: 14,
			NodeGroups: []NodeGroup{{
				Name: "big", InstanceTypes: []string{"m6i.2xlarge", "m7i-flex.2xlarge"}, Min: 0, Max: 9, Desired: 4, DiskGiB: 100,
			}},
		},
		PrivateZone: "vault.example.com",
		VPN: VPN{
			ClientCIDR: "10.100.0.0/22", ServerName: "vpn.example.com", DNSServer: "100.64.0.10", SessionHours: 12, Banner: "hello",
			LogRetentionDays: 365, CertificateDays: 90, AuthorityDays: 1000,
		},
		Flux: Flux{
			URL: "ssh://git@git.example.com:2222/s.git", Branch: "release", Path: "clusters/prod",
			KnownHosts: "[git.example.com]:2222 " + hostKey, Charts: "oci://registry.example.com/charts",
		},
		GitLab: GitLab{URL: "https://gitlab.example.com", RunnerImage: "registry.example.com/runner:1.2.3"},
		Vault: Vault{
			Replicas: 5, Storage: VaultStorage{Type: "efs", SizeGiB: 20, AuditSizeGiB: 30},
			Image:       VaultImage{Repository: "registry.example.com/vault", Tag: "2.0.3"},
			Certificate: VaultCertificate{Days: 90, RenewBeforeDays: 10}, CA: VaultCA{Days: 1000, Trusted: []int{1, 2}, Active: 2},
			RecoveryWindowDays: 7, SnapshotRetentionDays: 60,
			Access: VaultAccess{Mode: "direct", Port: 8201, WaitMinutes: 5},
		},
	}, cfg)
}

func TestToolingStackOfAnApplication(t *testing.T) {
	for stack, want := range map[string]string{
		"application":             "tooling",
		"application-staging":     "tooling-staging",
		"application-eu-west-3-b": "tooling-eu-west-3-b",
	} {
		cfg, err := Parse(stack, values(t, valid()))
		require.NoError(t, err)
		assert.Equal(t, want, cfg.ToolingStack)
	}
	cfg, err := Parse("shop", values(t, object{
		"role": "application", "toolingStack": "acme/strongroom/tooling",
		"region": valid()["region"], "network": valid()["network"], "cluster": valid()["cluster"],
	}))
	require.NoError(t, err)
	assert.Equal(t, "acme/strongroom/tooling", cfg.ToolingStack)
}

// Each case is a valid configuration with one thing wrong, and the one problem that
// must come out: the key is named, and what to do.
func TestBadInput(t *testing.T) {
	group := func(key string, value any) object { return set("cluster.nodeGroups."+key, value) }
	vpn := func(key string, value any) object {
		return set("vpn", object{"clientCidr": "10.100.0.0/22", key: value})
	}
	for _, tt := range []struct {
		name, stack string
		keys        object
		want        string
	}{
		// unknown keys, at every depth
		{"unknown key", "tooling", set("networq", "x"),
			`config strongroom:networq: unknown key, did you mean "network"?`},
		{"unknown nested key", "tooling", set("network.cdir", "x"),
			`config strongroom:network.cdir: unknown key, did you mean "cidr"?`},
		{"unknown key, wrong case", "tooling", set("cluster.publicAccessCIDRs", []any{}),
			`config strongroom:cluster.publicAccessCIDRs: unknown key, did you mean "publicAccessCidrs"?`},
		{"unknown key in a list", "tooling", group("instanceType", "x"),
			`config strongroom:cluster.nodeGroups[0].instanceType: unknown key, did you mean "instanceTypes"?`},
		{"unknown key like no other", "tooling", set("cluster.xyzzy", "x"),
			`config strongroom:cluster.xyzzy: unknown key: the keys here are "admins", "logRetentionDays", "nodeGroups", "publicAccessCidrs", "version"`},
		{"unknown namespace", "tooling", set("strongrom:region", "x"),
			`config strongrom:region: unknown namespace, did you mean "strongroom"?`},
		{"key of a provider", "tooling", set("aws:region", "eu-west-1"),
			`config aws:region: has no effect: set strongroom:region`},
		{"key that nothing reads", "tooling", set("kubernetes:context", "x"),
			`config kubernetes:context: has no effect: nothing reads keys outside "strongroom", remove it`},

		// missing keys
		{"region missing", "tooling", set("region", nil), `config strongroom:region: missing: this key is required`},
		{"network missing", "tooling", set("network", nil), `config strongroom:network.cidr: missing: this key is required`},
		{"cidr missing", "tooling", set("network.cidr", nil), `config strongroom:network.cidr: missing: this key is required`},
		{"zones missing", "tooling", set("network.zones", nil), `config strongroom:network.zones: missing: this key is required`},
		{"version missing", "tooling", set("cluster.version", nil), `config strongroom:cluster.version: missing: this key is required`},
		{"node groups missing", "tooling", set("cluster.nodeGroups", nil), `config strongroom:cluster.nodeGroups: missing: this key is required`},
		{"group name missing", "tooling", group("name", nil), `config strongroom:cluster.nodeGroups[0].name: missing: this key is required`},
		{"group max missing", "tooling", group("max", nil), `config strongroom:cluster.nodeGroups[0].max: missing: this key is required`},
		{"group types missing", "tooling", group("instanceTypes", nil), `config strongroom:cluster.nodeGroups[0].instanceTypes: missing: this key is required`},
		{"vpn without a range", "tooling", set("vpn", object{}), `config strongroom:vpn.clientCidr: missing: this key is required`},
		{"tooling stack not to be guessed", "shop", set("role", "application"),
			`config strongroom:toolingStack: required, because the stack's name "shop" does not begin with "application": name the stack whose Vault is used`},

		// wrong types
		{"number for a string", "tooling", set("cluster.version", 1.36),
			`config strongroom:cluster.version: expected a string, got the number 1.36: write it in quotes`},
		{"string for a number", "tooling", group("max", "3"),
			`config strongroom:cluster.nodeGroups[0].max: expected a whole number, got the string "3"`},
		{"fraction", "tooling", group("max", 2.5),
			`config strongroom:cluster.nodeGroups[0].max: expected a whole number, got the number 2.5`},
		{"number too large", "tooling", group("max", json.Number("92233720368547758070")),
			`config strongroom:cluster.nodeGroups[0].max: expected a whole number, got the number 92233720368547758070`},
		{"string for a bool", "tooling", set("protect", "yes"),
			`config strongroom:protect: expected true or false, got the string "yes"`},
		{"number for a bool", "tooling", set("protect", 1),
			`config strongroom:protect: expected true or false, got the number 1`},
		{"string for a list", "tooling", set("network.zones", "a"),
			`config strongroom:network.zones: expected a list, got the string "a"`},
		{"object for a list", "tooling", set("network.zones", object{"a": true}),
			`config strongroom:network.zones: expected a list, got an object`},
		{"list for an object", "tooling", set("network", []any{"10.10.0.0/16"}),
			`config strongroom:network: expected an object, got a list`},
		{"string for an object", "tooling", set("cluster", "1.36"),
			`config strongroom:cluster: expected an object, got the number 1.36`},
		{"string for an item", "tooling", set("cluster.nodeGroups", []any{"general"}),
			`config strongroom:cluster.nodeGroups[0]: expected an object, got the string "general"`},
		{"nothing for an item", "tooling", set("network.zones", []any{"a", nil}),
			`config strongroom:network.zones[1]: expected a string, got nothing: give a value or remove the key`},
		{"bool for a tag", "tooling", set("tags", object{"backup": true}),
			`config strongroom:tags.backup: expected a string, got true`},
		{"object for a string", "tooling", set("region", object{"name": "eu-west-1"}),
			`config strongroom:region: expected a string, got an object`},

		// stack
		{"unknown stack", "staging", valid(),
			`unknown stack "staging": "staging" is no known role: begin the name with one of "tooling", "application" (as in "tooling-staging"), or set strongroom:role in Pulumi.staging.yaml`},
		{"unknown role", "tooling", set("role", "database"),
			`config strongroom:role: unknown role "database" of stack "tooling": expected one of "tooling", "application"`},
		{"name", "tooling", set("name", "Tooling"),
			`config strongroom:name: "Tooling" is no usable name: expected at most 32 letters of lower case, digits and single hyphens, beginning with a letter`},
		{"region", "tooling", set("region", "Ireland"),
			`config strongroom:region: "Ireland" is no AWS region: expected one such as "eu-west-1"`},
		{"tag of AWS", "tooling", set("tags", object{"aws:x": "y"}),
			`config strongroom:tags: key "aws:x" starts with "aws:", which AWS keeps for itself: use another prefix`},
		{"tag of ours", "tooling", set("tags", object{"strongroom:stack": "y"}),
			`config strongroom:tags.strongroom:stack: is set by the program: use another key`},
		{"tooling key in application", "application", set("vpn", object{"clientCidr": "10.100.0.0/22"}),
			`config strongroom:vpn: only a tooling stack has this key: the application stack reads it from there, remove it`},
		{"application key in tooling", "tooling", set("toolingStack", "tooling"),
			`config strongroom:toolingStack: only an application stack has this key: remove it`},
		{"private zone", "tooling", set("privateZone", "tooling"),
			`config strongroom:privateZone: "tooling" is no domain name: expected one such as "tooling.internal"`},
		{"private zone of multicast DNS", "tooling", set("privateZone", "tooling.local"),
			`config strongroom:privateZone: "tooling.local" ends in ".local", which belongs to multicast DNS: use one such as "tooling.internal"`},

		// network
		{"CIDR malformed", "tooling", set("network.cidr", "10.10.0.0"),
			`config strongroom:network.cidr: "10.10.0.0" is not a range: an IPv4 range such as "10.0.0.0/16" is expected`},
		{"CIDR of IPv6", "tooling", set("network.cidr", "fd00::/16"),
			`config strongroom:network.cidr: "fd00::/16" is an IPv6 range: an IPv4 range such as "10.0.0.0/16" is expected`},
		{"CIDR with host bits", "tooling", set("network.cidr", "10.10.0.1/16"),
			`config strongroom:network.cidr: "10.10.0.1/16" has host bits set: write "10.10.0.0/16"`},
		{"CIDR too large", "tooling", set("network.cidr", "10.0.0.0/8"),
			`config strongroom:network.cidr: 10.0.0.0/8 is too large: a VPC has at most /16`},
		{"CIDR too small for the zones", "tooling", set("network.cidr", "10.0.0.0/30"),
			`config strongroom:network.cidr: 10.0.0.0/30 is too small for 3 zones: need at least /23`},
		{"CIDR public", "tooling", set("network.cidr", "8.8.0.0/16"),
			`config strongroom:network.cidr: 8.8.0.0/16 is public address space: choose from 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10`},
		{"subnets too large", "tooling", set("network.privatePrefix", 17),
			`config strongroom:network.privatePrefix: subnets of /17 are too large for 3 zones in any VPC: need at least 19`},
		{"one zone", "tooling", set("network.zones", []any{"a"}),
			`config strongroom:network.zones: 1 given: EKS needs at least two availability zones, such as [a, b]`},
		{"no zone", "tooling", set("network.zones", []any{}),
			`config strongroom:network.zones: 0 given: EKS needs at least two availability zones, such as [a, b]`},
		{"zone twice", "tooling", set("network.zones", []any{"a", "eu-west-1a"}),
			`config strongroom:network.zones[1]: zone "eu-west-1a" is listed twice`},
		{"zone of another region", "tooling", set("network.zones", []any{"a", "eu-central-1b"}),
			`config strongroom:network.zones[1]: "eu-central-1b" is no availability zone of eu-west-1: expected a letter or a name such as "eu-west-1a"`},
		{"NAT", "tooling", set("network.nat", "double"),
			`config strongroom:network.nat: "double" is no NAT strategy: expected one of "none", "single", "perZone"`},
		{"endpoint in full", "tooling", set("network.interfaceEndpoints", []any{"com.amazonaws.eu-west-1.sts"}),
			`config strongroom:network.interfaceEndpoints[0]: "com.amazonaws.eu-west-1.sts" is no short service name: expected one such as "ecr.api"`},
		{"endpoint of S3", "tooling", set("network.interfaceEndpoints", []any{"sts", "s3"}),
			`config strongroom:network.interfaceEndpoints[1]: "s3" always has a gateway endpoint, which costs nothing: remove it`},
		{"endpoint twice", "tooling", set("network.interfaceEndpoints", []any{"sts", "sts"}),
			`config strongroom:network.interfaceEndpoints[1]: "sts" is listed twice`},
		{"retention", "tooling", set("network.flowLogsRetentionDays", 31),
			`config strongroom:network.flowLogsRetentionDays: 31 days is no retention of CloudWatch Logs: expected one of 1 3 5 7 14 30 `},

		// cluster
		{"Kubernetes too old", "tooling", set("cluster.version", "1.19"),
			`config strongroom:cluster.version: Kubernetes "1.19" is not supported: expected one of "1.34", "1.35", "1.36"`},
		{"open to the internet", "tooling", set("cluster.publicAccessCidrs", []any{"0.0.0.0/0"}),
			`config strongroom:cluster.publicAccessCidrs[0]: 0.0.0.0/0 opens the Kubernetes API to the whole internet: list the ranges that you work from, or none for a private API`},
		{"open to half of the internet", "tooling", set("cluster.publicAccessCidrs", []any{"198.51.100.0/24", "128.0.0.0/1"}),
			`config strongroom:cluster.publicAccessCidrs[1]: 128.0.0.0/1 opens the Kubernetes API to the whole internet: list the ranges that you work from, or none for a private API`},
		{"private for public", "tooling", set("cluster.publicAccessCidrs", []any{"198.51.100.0/24", "10.0.0.0/8"}),
			`config strongroom:cluster.publicAccessCidrs[1]: 10.0.0.0/8 is private address space, which EKS refuses here: from inside the VPC the API is reached by its private endpoint`},
		{"admin as session", "tooling", set("cluster.admins", []any{"arn:aws:sts::123456789012:assumed-role/admin/me"}),
			`config strongroom:cluster.admins[0]: "arn:aws:sts::123456789012:assumed-role/admin/me" is no ARN of an IAM role or user: expected one such as "arn:aws:iam::123456789012:role/platform-admin"`},
		{"log retention", "tooling", set("cluster.logRetentionDays", 0),
			`config strongroom:cluster.logRetentionDays: 0 days is no retention of CloudWatch Logs: expected one of 1 3 5 `},
		{"no node group", "tooling", set("cluster.nodeGroups", []any{}),
			`config strongroom:cluster.nodeGroups: the list is empty: a cluster needs at least one node group`},
		{"group min above max", "tooling", group("min", 4),
			`config strongroom:cluster.nodeGroups[0].min: the minimum of 4 nodes is above the maximum of 3: lower min or raise max`},
		{"group min below none", "tooling", group("min", -1),
			`config strongroom:cluster.nodeGroups[0].min: -1 nodes is less than none`},
		{"group max none", "tooling", group("max", 0),
			`config strongroom:cluster.nodeGroups[0].max: 0 is too few: EKS wants a maximum of at least 1`},
		{"group desired outside", "tooling", group("desired", 5),
			`config strongroom:cluster.nodeGroups[0].desired: 5 nodes is outside of min 1 to max 3`},
		{"group disk", "tooling", group("diskGiB", 8),
			`config strongroom:cluster.nodeGroups[0].diskGiB: 8 GiB is no usable size: expected 20 (what the node image needs) to 16384`},
		{"group types empty", "tooling", group("instanceTypes", []any{}),
			`config strongroom:cluster.nodeGroups[0].instanceTypes: the list is empty: expected EC2 instance types such as ["m6i.large"]`},
		{"group type", "tooling", group("instanceTypes", []any{"large"}),
			`config strongroom:cluster.nodeGroups[0].instanceTypes[0]: "large" is no EC2 instance type: expected one such as "m6i.large"`},
		{"group twice", "tooling", set("cluster.nodeGroups", []any{
			object{"name": "general", "instanceTypes": []any{"m6i.large"}, "max": 3},
			object{"name": "general", "instanceTypes": []any{"m6i.large"}, "max": 3},
		}), `config strongroom:cluster.nodeGroups[1].name: there is another node group "general": names are unique in a cluster`},

		// VPN
		{"VPN overlaps the VPC", "tooling", set("vpn", object{"clientCidr": "10.10.128.0/22"}),
			`config strongroom:vpn.clientCidr: 10.10.128.0/22 overlaps the VPC's range 10.10.0.0/16 (strongroom:network.cidr): choose a range that no VPC uses`},
		{"VPN too small", "tooling", set("vpn", object{"clientCidr": "10.100.0.0/24"}),
			`config strongroom:vpn.clientCidr: 10.100.0.0/24 is too small: a Client VPN takes /12 to /22`},
		{"VPN too large", "tooling", set("vpn", object{"clientCidr": "172.0.0.0/11"}),
			`config strongroom:vpn.clientCidr: 172.0.0.0/11 is too large: a Client VPN takes /12 to /22`},
		{"VPN resolver outside", "tooling", vpn("dnsServer", "8.8.8.8"),
			`config strongroom:vpn.dnsServer: "8.8.8.8" is no address in the VPC's range 10.10.0.0/16: only a resolver in there knows the private zone; remove the key for the VPC's own`},
		{"VPN resolver no address", "tooling", vpn("dnsServer", "resolver"), `config strongroom:vpn.dnsServer: "resolver" is no address in the VPC's range`},
		{"VPN session", "tooling", vpn("sessionHours", 9), `config strongroom:vpn.sessionHours: 9 hours is no length of a session: expected one of 8 10 12 24`},
		{"VPN banner", "tooling", vpn("banner", strings.Repeat("ä", 701)), `config strongroom:vpn.banner: it has 1402 bytes, AWS takes at most 1400: shorten it`},
		{"VPN log", "tooling", vpn("logRetentionDays", 0), `config strongroom:vpn.logRetentionDays: 0 days is no retention of CloudWatch Logs`},
		{"VPN name", "tooling", vpn("serverName", "vpn"), `config strongroom:vpn.serverName: "vpn" is no domain name of at most 64 characters`},
		{"VPN certificate too short", "tooling", vpn("certificateDays", 60),
			`config strongroom:vpn.certificateDays: 60 days is not possible: expected 61 to 36500, because the certificate is renewed 60 days before its end`},
		{"VPN authority ends first", "tooling", vpn("authorityDays", 364),
			`config strongroom:vpn.authorityDays: the authority would expire after 364 days, before its certificate, which is good for 365 (strongroom:vpn.certificateDays): raise it or lower that`},
		{"VPN authority of a century", "tooling", vpn("authorityDays", 40000), `config strongroom:vpn.authorityDays: 40000 days is more than 36500`},
		{"VPN authority in parts", "tooling", vpn("authority", object{"certificateFile": "ca.pem", "serverKeyFile": "key.pem"}),
			`config strongroom:vpn.authority.serverCertificateFile: missing: this key is required`},
		{"VPN malformed", "tooling", set("vpn", object{"clientCidr": "10.100.0.0/33"}),
			`config strongroom:vpn.clientCidr: "10.100.0.0/33" is not a range: an IPv4 range such as "10.0.0.0/16" is expected`},

		// Flux
		{"Flux without URL", "tooling", set("flux", object{"branch": "main"}),
			`config strongroom:flux.url: missing: this key is required`},
		{"Flux over https", "application", set("flux", flux("url", "https://git.example.com/platform/strongroom.git")),
			`config strongroom:flux.url: begins with https://, but the repository is read over SSH with a deploy key: write "ssh://git@git.example.com/platform/strongroom.git"`},
		{"Flux without user", "tooling", set("flux", flux("url", "ssh://git.example.com/platform/strongroom.git")),
			`config strongroom:flux.url: has no user: write "ssh://git@git.example.com/platform/strongroom.git"`},
		{"Flux without known hosts", "tooling", set("flux", flux("knownHosts", "")),
			`config strongroom:flux.knownHosts: is missing: the keys of git.example.com must be pinned, `},
		{"Flux with another known host", "tooling", set("flux", flux("knownHosts", "github.com "+hostKey)),
			`config strongroom:flux.knownHosts: does not know git.example.com, only github.com: `},
		{"Flux with no branch", "tooling", set("flux", flux("branch", "main..")),
			`config strongroom:flux.branch: "main.." is no name of a branch: use one such as "main"`},
		{"Flux with a path outside", "tooling", set("flux", flux("path", "../clusters")),
			`config strongroom:flux.path: "../clusters" is no folder in the repository: use one such as "gitops/clusters/tooling"`},
		{"Flux with charts over https", "tooling", set("flux", flux("charts", "https://charts.example.com")),
			`config strongroom:flux.charts: "https://charts.example.com" is no place for charts: use an oci:// address such as `},
		{"key without Flux", "tooling", set("fluxPrivateKey", "x"),
			`config strongroom:fluxPrivateKey: there is no Flux that would use it: configure strongroom:flux, or remove it`},
		{"GitLab of application", "application", set("gitlab", object{"url": "https://gitlab.example.com"}),
			`config strongroom:gitlab: only a tooling stack has this key`},
		{"GitLab URL", "tooling", set("gitlab", object{"url": "gitlab.example.com"}),
			`config strongroom:gitlab.url: "gitlab.example.com" is no address of a GitLab: expected one such as "https://gitlab.com"`},
		{"runner image", "tooling", set("gitlab", object{"runnerImage": "podman:latest"}),
			`config strongroom:gitlab.runnerImage: "podman:latest" is no pinned image: expected one with a tag`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := Parse(tt.stack, values(t, tt.keys))
			require.Error(t, err)
			assert.Nil(t, cfg)
			var all *ConfigError
			require.True(t, errors.As(err, &all))
			first := strings.SplitN(all.Problems[0].Error(), "\n", 2)[0]
			assert.True(t, strings.HasPrefix(first, tt.want), "got  %s\nwant %s", first, tt.want)
			if tt.name != "network missing" && tt.name != "unknown stack" && tt.name != "unknown role" {
				assert.Len(t, all.Problems, 1, "%v", err)
			}
		})
	}
}

// hostKey is a host's key as known_hosts has it.
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"

// flux is a right configuration of Flux but for one key.
func flux(key, value string) object {
	right := object{
		"url": "ssh://git@git.example.com/platform/strongroom.git", "knownHosts": "git.example.com " + hostKey,
	}
	right[key] = value
	return right
}

// The one secret setting must be encrypted, and what it holds never shows.
func TestPrivateKeyOfFlux(t *testing.T) {
	keys := set("flux", flux("branch", "main"))
	keys["fluxPrivateKey"] = "hunter2"
	_, err := parse("tooling", values(t, keys), func(string) bool { return false })
	require.EqualError(t, err,
		"config strongroom:fluxPrivateKey: is in plain text, but is a secret: set it with `pulumi config set --secret`")
	_, err = parse("tooling", values(t, keys), isSecretKey)
	require.ErrorContains(t, err, "config strongroom:fluxPrivateKey: is no private key in PEM or OpenSSH form")
	assert.NotContains(t, err.Error(), "hunter2")
}

func TestAllProblemsAreReportedAtOnce(t *testing.T) {
	keys := set("network.cidr", "10.10.0.0")
	keys["colour"] = "green"
	keys["region"] = "Mars"
	keys["protect"] = "maybe"
	keys["cluster"] = object{"version": "1.10", "nodeGroups": []any{}}
	_, err := Parse("tooling", values(t, keys))
	require.Error(t, err)
	text := err.Error()
	assert.Contains(t, text, "Pulumi.tooling.yaml has 6 problems:\n")
	for _, key := range []string{
		"colour", "region", "protect", "network.cidr", "cluster.version", "cluster.nodeGroups",
	} {
		assert.Contains(t, text, "\n  config strongroom:"+key+": ")
	}
}

// An empty list or object at the top reaches the program as an empty string.
func TestEmptyObject(t *testing.T) {
	cfg, err := Parse("tooling", values(t, set("tags", "")))
	require.NoError(t, err)
	assert.Len(t, cfg.Tags, 3)
}

// Nothing of the configuration is treated as a secret later on, so nothing of it
// may be one: its plain text would stand in the state and in messages.
func TestSecretsAreRefused(t *testing.T) {
	keys := values(t, set("privateZone", "s3cr3t"))
	_, err := parse("tooling", keys, func(key string) bool { return key == "strongroom:privateZone" })
	require.EqualError(t, err,
		"config strongroom:privateZone: is encrypted, but is not treated as a secret: set it without --secret")
}

// Whatever stands in the file, Parse neither panics nor returns both or neither of
// a configuration and an error.
func TestParseSurvivesAnything(t *testing.T) {
	names := slices.Sorted(maps.Keys(fieldsOf(reflectConfig())))
	names = append(names, "cidr", "zones", "version", "nodeGroups", "min", "max", "name", "instanceTypes", "clientCidr", "other")
	text := rapid.OneOf(rapid.SampledFrom([]string{
		"", "a", "10.10.0.0/16", "10.10.0.0/31", "1.36", "true", "eu-west-1", "{", "[]", "null", "tooling", "none",
	}), rapid.String())
	var value func(depth int) *rapid.Generator[any]
	value = func(depth int) *rapid.Generator[any] {
		scalars := rapid.OneOf(
			rapid.Map(text, func(s string) any { return s }),
			rapid.Map(rapid.Int(), func(i int) any { return i }),
			rapid.Map(rapid.Float64Range(-1e9, 1e9), func(f float64) any { return f }),
			rapid.Map(rapid.Bool(), func(b bool) any { return b }),
			rapid.Just[any](nil),
		)
		if depth == 0 {
			return scalars
		}
		return rapid.OneOf(scalars,
			rapid.Map(rapid.SliceOfN(rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 4),
				func(l []any) any { return l }),
			rapid.Map(rapid.MapOfN(rapid.SampledFrom(names), rapid.Deferred(func() *rapid.Generator[any] { return value(depth - 1) }), 0, 6),
				func(m map[string]any) any { return m }),
		)
	}
	rapid.Check(t, func(rt *rapid.T) {
		keys := valid()
		for range rapid.IntRange(0, 4).Draw(rt, "changes") {
			keys[rapid.SampledFrom(names).Draw(rt, "key")] = value(3).Draw(rt, "value")
		}
		stack := rapid.SampledFrom([]string{"tooling", "application", "application-x", "prod"}).Draw(rt, "stack")
		cfg, err := Parse(stack, values(t, keys))
		if (cfg == nil) == (err == nil) {
			rt.Fatalf("configuration %v, error %v", cfg, err)
		}
	})
}
