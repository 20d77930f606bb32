package stacks

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/components/ekscluster"
	"github.com/strongroom-platform/strongroom/components/fluxbootstrap"
	"github.com/strongroom-platform/strongroom/components/network"
	"github.com/strongroom-platform/strongroom/components/vaultha"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// handover is what a stack hands over to Flux: a cluster, and values for the tree.
type handover struct {
	cfg     *Config
	vpc     *network.Network
	cluster *ekscluster.EksCluster
	aws     *aws.Provider
	api     *kubernetes.Provider
	// vaultHostname and vaultPort are where Vault answers.
	vaultHostname string
	vaultPort     int
	// vaultTargets is the target group of Vault's private front. Only for tooling.
	vaultTargets pulumi.StringInput
	// vault is what Vault is installed from. Only for tooling.
	vault *vaultPlace
}

// flux hands the cluster over to Flux, unless strongroom:flux is not configured: the
// roles of what Flux installs, then Flux itself. What it returns is known when Flux is
// there, or when nothing has to be waited for.
func (h *handover) flux(ctx *pulumi.Context) (pulumi.StringInput, error) {
	if h.cfg.Flux.URL == "" {
		return pulumi.String(""), nil
	}
	roles, err := h.roles(ctx)
	if err != nil {
		return nil, err
	}
	if h.vault != nil {
		// Vault's namespace, Secrets and roles are there before Flux installs it, and
		// go after it.
		roles = append(roles, h.vault.ready...)
	}
	keys, err := tls.NewProvider(ctx, "tls", &tls.ProviderArgs{})
	if err != nil {
		return nil, err
	}
	git := fluxbootstrap.Git{
		URL:        h.cfg.Flux.URL,
		Branch:     h.cfg.Flux.Branch,
		Path:       h.cfg.Flux.Path,
		KnownHosts: h.cfg.Flux.KnownHosts,
	}
	if h.cfg.FluxPrivateKey != "" {
		git.PrivateKey = pulumi.ToSecret(pulumi.String(h.cfg.FluxPrivateKey)).(pulumi.StringOutput)
	}
	flux, err := fluxbootstrap.New(ctx, h.cfg.Name+"-flux", &fluxbootstrap.Args{
		Cluster:     string(h.cfg.Role),
		Git:         git,
		Charts:      h.cfg.Flux.Charts,
		RuntimeInfo: h.runtimeInfo(),
	}, pulumi.Providers(h.api, keys), pulumi.DependsOn(append(roles, h.cluster.Ready...)))
	if err != nil {
		return nil, err
	}
	// What the Git server must be told: see docs/gitops.md.
	ctx.Export("fluxDeployKey", flux.DeployKey)
	ctx.Export("fluxWriteKey", flux.WriteKey)
	return flux.DeployKey, nil
}

// absent is the value of a key whose thing the stack does not have.
const absent = "none"

// runtimeInfo has one value per key of internal/runtimeinfo.
func (h *handover) runtimeInfo() map[string]pulumi.StringInput {
	info := map[string]pulumi.StringInput{
		runtimeinfo.ClusterName:   h.cluster.ClusterName,
		runtimeinfo.Environment:   pulumi.String(h.cfg.environment()),
		runtimeinfo.AWSRegion:     pulumi.String(h.cfg.Region),
		runtimeinfo.VPCID:         h.vpc.VPCID,
		runtimeinfo.VPCCIDR:       pulumi.String(h.vpc.CIDR),
		runtimeinfo.GitURL:        pulumi.String(h.cfg.Flux.URL),
		runtimeinfo.GitBranch:     pulumi.String(h.cfg.Flux.Branch),
		runtimeinfo.VaultAddress:  pulumi.Sprintf("https://%s:%d", h.vaultHostname, h.vaultPort),
		runtimeinfo.VaultHostname: pulumi.String(h.vaultHostname),
	}
	if h.cfg.Role == Tooling {
		info[runtimeinfo.VaultPeers] = pulumi.String(strings.Join(h.vault.Peers, " "))
		info[runtimeinfo.VaultTargets] = h.vaultTargets
		info[runtimeinfo.VaultRecovery] = h.vault.RecoverySecretARN
		info[runtimeinfo.VaultSnapshots] = h.vault.SnapshotBucket
		info[runtimeinfo.EFSFileSystem] = pulumi.String(absent)
		if h.cfg.Vault.Storage.Type == string(vaultha.EFS) {
			info[runtimeinfo.EFSFileSystem] = h.vault.FileSystemID
		}
		info[runtimeinfo.GitLabURL] = pulumi.String(h.cfg.GitLab.URL)
		info[runtimeinfo.RunnerImage] = pulumi.String(h.cfg.GitLab.RunnerImage)
	}
	return info
}
