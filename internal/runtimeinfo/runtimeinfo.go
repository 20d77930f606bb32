// Package runtimeinfo is the list of values that Pulumi hands to the tree in gitops/:
// the keys of the ConfigMap strongroom-runtime-info, and of the Secret beside it, from
// which Flux substitutes ${key}. Whoever writes them and whoever checks the tree read
// this one list, so a variable that nobody fills in cannot pass.
package runtimeinfo

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Where the values stand in each cluster.
const (
	// Namespace is Flux's.
	Namespace = "flux-system"
	// ConfigMap holds the values that anybody may read, Secret the others.
	ConfigMap = "strongroom-runtime-info"
	Secret    = "strongroom-runtime-secrets" // #nosec G101 -- the name of an object
)

// FluxVersion is the release of Flux whose API the tree is written for, and that runs.
const FluxVersion = "2.9.4"

// Where the charts flux-operator and flux-instance are published, and their version:
// they are released together, and know the release of Flux.
const (
	OperatorCharts  = "oci://ghcr.io/controlplaneio-fluxcd/charts"
	OperatorVersion = "0.58.0"
)

// The clusters that have a tree, by their folder below gitops/clusters.
const (
	Tooling     = "tooling"
	Application = "application"
)

// Clusters lists them.
func Clusters() []string { return []string{Tooling, Application} }

// The keys.
const (
	ClusterName    = "cluster_name"
	Environment    = "environment"
	AWSRegion      = "aws_region"
	VPCID          = "vpc_id"
	VPCCIDR        = "vpc_cidr"
	GitURL         = "git_url"
	GitBranch      = "git_branch"
	VaultAddress   = "vault_address"
	VaultHostname  = "vault_hostname"
	VaultPeers     = "vault_peers"
	VaultTargets   = "vault_target_group_arn"
	VaultRecovery  = "vault_recovery_secret_arn"
	VaultSnapshots = "vault_snapshot_bucket"
	EFSFileSystem  = "efs_file_system_id"
	GitLabURL      = "gitlab_url"
	RunnerImage    = "runner_image"
)

// Key is one value.
type Key struct {
	Name string
	// Meaning is for people.
	Meaning string
	// Example has the form of a real value; the checks of the tree substitute it.
	Example string
	// Only is the one cluster that has the key; empty for all.
	Only string
	// Secret values stand in the Secret.
	Secret bool
}

// Keys are all values of all clusters. Every key of a cluster has a value there: an
// optional thing has a value that says that it is not there.
var Keys = []Key{
	{Name: ClusterName, Meaning: "name of the EKS cluster", Example: "tooling"},
	{Name: Environment, Meaning: "what the stack's name has after its first hyphen, or \"default\"", Example: "default"},
	{Name: AWSRegion, Meaning: "region of the cluster", Example: "eu-west-1"},
	{Name: VPCID, Meaning: "VPC of the cluster", Example: "vpc-0123456789abcdef0"},
	{Name: VPCCIDR, Meaning: "range of that VPC, where load balancers are", Example: "10.10.0.0/16"},
	{Name: GitURL, Meaning: "repository that Flux reads", Example: "ssh://git@git.example.com/platform/strongroom.git"},
	{Name: GitBranch, Meaning: "branch that Flux reads, and image automation writes", Example: "main"},
	{Name: VaultAddress, Meaning: "Vault's private address", Example: "https://vault.tooling.internal:8200"},
	{Name: VaultHostname, Meaning: "the name in it", Example: "vault.tooling.internal"},
	{Name: VaultPeers, Meaning: "addresses of Vault's servers, with spaces between", Only: Tooling,
		Example: "https://vault-0.vault-internal:8200 https://vault-1.vault-internal:8200 https://vault-2.vault-internal:8200"},
	{Name: VaultTargets, Meaning: "target group that Vault's pods join", Only: Tooling,
		Example: "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/vault/0123456789abcdef"},
	{Name: VaultRecovery, Meaning: "secret in which the first start leaves the recovery keys", Only: Tooling,
		Example: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:vault-recovery-AbCdEf"},
	{Name: VaultSnapshots, Meaning: "bucket for Vault's snapshots", Only: Tooling, Example: "tooling-vault-snapshots"},
	{Name: EFSFileSystem, Meaning: "file system of the EFS storage class, \"none\" where there is none", Only: Tooling, Example: "fs-0123456789abcdef0"},
	{Name: GitLabURL, Meaning: "GitLab that the runner serves", Only: Tooling, Example: "https://gitlab.com"},
	{Name: RunnerImage, Meaning: "image of CI jobs, built from images/runner", Only: Tooling,
		Example: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/strongroom/runner:1.0.0"},
}

// For returns the keys of a cluster.
func For(cluster string) []Key {
	var keys []Key
	for _, k := range Keys {
		if k.Only == "" || k.Only == cluster {
			keys = append(keys, k)
		}
	}
	return keys
}

// Examples returns a value per key of a cluster, for checks without a cluster.
func Examples(cluster string) map[string]string {
	values := map[string]string{}
	for _, k := range For(cluster) {
		values[k.Name] = k.Example
	}
	return values
}

// Check reports the keys that a cluster lacks or does not know, and the values, as far
// as they are given, that Flux could not put into YAML: it substitutes text.
func Check[V any](cluster string, values map[string]V) error {
	if !slices.Contains(Clusters(), cluster) {
		return fmt.Errorf("runtime info: there is no cluster %q in gitops/clusters: use one of %s", cluster, strings.Join(Clusters(), ", "))
	}
	known := map[string]bool{}
	for _, k := range For(cluster) {
		known[k.Name] = true
		value, given := values[k.Name]
		if !given || any(value) == nil {
			return fmt.Errorf("runtime info: key %q (%s) is missing: cluster %q cannot do without it", k.Name, k.Meaning, cluster)
		}
		if text, plain := any(value).(string); plain {
			if err := CheckValue(k.Name, text); err != nil {
				return err
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !known[name] {
			return fmt.Errorf("runtime info: key %q is unknown to cluster %q: add it to internal/runtimeinfo, or leave it out", name, cluster)
		}
	}
	return nil
}

// plainForm are values that mean the same in YAML with and without quotes, wherever
// they are put.
var plainForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._:/@+-]*$`)

// CheckValue reports a value that would not come out of the substitution as it went in.
func CheckValue(name, value string) error {
	if !plainForm.MatchString(value) || strings.Contains(value, ": ") || strings.HasSuffix(value, ":") || value != strings.TrimSpace(value) {
		return fmt.Errorf("runtime info: key %q has the value %q, which YAML would read as something else: "+
			"use letters, digits and . _ : / @ + - with single words or spaces between them", name, value)
	}
	return nil
}
