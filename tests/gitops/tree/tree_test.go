package tree_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
	"github.com/strongroom-platform/strongroom/tests/gitops/tree"
)

const checkout = "../../.."

// types are read once: the definitions are many.
var types = sync.OnceValues(func() (*tree.Types, error) { return tree.LoadTypes(context.Background(), checkout) })

func load(t *testing.T) (*tree.Tree, *tree.Types) {
	t.Helper()
	known, err := types()
	require.NoError(t, err)
	files, err := tree.Load(checkout)
	require.NoError(t, err)
	return files, known
}

// values are what Pulumi hands over to each cluster.
func values() map[string]map[string]string {
	all := map[string]map[string]string{}
	for _, cluster := range runtimeinfo.Clusters() {
		all[cluster] = runtimeinfo.Examples(cluster)
	}
	return all
}

// The tree of this checkout keeps every rule.
func TestTree(t *testing.T) {
	files, known := load(t)
	if err := files.Check(known, values()); err != nil {
		t.Fatalf("gitops/ breaks rules:\n%v", err)
	}
}

// Each rule finds what it is there to find, in a tree that is right but for one thing.
func TestRulesCanFail(t *testing.T) {
	const (
		configs     = "gitops/infrastructure/configs/"
		controllers = "gitops/infrastructure/controllers/"
	)
	for _, tt := range []struct {
		rule, file string
		old, new   string
		want       string
	}{
		{"build", configs + "storage/gp3.yaml", "kind: StorageClass", "kind: [", `Kustomization storage: path gitops/infrastructure/configs/storage: kustomize: `},
		{"build", configs + "storage/kustomization.yaml", "gp3.yaml", "gp4.yaml", `gp4.yaml`},
		{"path", "gitops/clusters/tooling/storage.yaml", "configs/storage", "configs/disks", `Kustomization storage: path gitops/infrastructure/configs/disks: there is no kustomization.yaml`},
		{"substitution", configs + "secret-stores/base/aws.yaml", "${aws_region}", "${aws_regoin}", `ClusterSecretStore aws: variable ${aws_regoin} is no key of the runtime info`},
		{"substitution", configs + "secret-stores/base/aws.yaml", "${aws_region}", "${aws_region:=x}", `${aws_region:=x} is no plain variable`},
		{"field", configs + "vault-front/targetgroupbinding.yaml", "targetType", "targetKind", `TargetGroupBinding vault/vault: spec.targetKind: the type has no such field`},
		{"schema", configs + "vault-front/targetgroupbinding.yaml", "targetType: ip", "targetType: pod", `TargetGroupBinding vault/vault: spec.targetType: Unsupported value: "pod"`},
		{"schema", controllers + "vault/release.yaml", "interval: 1h", "interval: often", `HelmRelease vault/vault: spec.interval: `},
		{"CEL", controllers + "vault/release.yaml", "  chart:\n", "  chartRef:\n    kind: OCIRepository\n    name: vault\n  chart:\n", `HelmRelease vault/vault: `},
		{"built-in field", configs + "storage/gp3.yaml", "allowVolumeExpansion", "allowExpansion", `StorageClass gp3: `},
		{"deprecated", "gitops/clusters/tooling/storage.yaml", "kustomize.toolkit.fluxcd.io/v1", "kustomize.toolkit.fluxcd.io/v1beta2", `kustomize.toolkit.fluxcd.io/v1beta2`},
		{"deprecated", configs + "storage/gp3.yaml", "storage.k8s.io/v1", "storage.k8s.io/v1beta1", `StorageClass gp3: storage.k8s.io/v1beta1 StorageClass is none of the types that the tree uses`},
		{"edge to nothing", "gitops/clusters/tooling/secret-stores.yaml", "name: vault-init", "name: vault-start", `Kustomization secret-stores: depends on vault-start, which is not there`},
		{"circle", "gitops/clusters/base/access.yaml", "spec:\n", "spec:\n  dependsOn:\n    - name: external-secrets\n", `Kustomization access: depends on itself by access -> external-secrets -> access`},
		{"service account", controllers + "vault/release.yaml", "serviceAccountName: flux", "serviceAccountName: default", `HelmRelease vault/vault needs ServiceAccount vault/default, which nothing in the tree makes`},
		{"source", controllers + "vault/release.yaml", "name: hashicorp", "name: hashi", `HelmRelease vault/vault needs HelmRepository vault/hashi, which nothing in the tree makes`},
		{"chart version", controllers + "vault/release.yaml", "version: 0.34.1", "version: 0.34.x", `HelmRelease vault/vault: chart version "0.34.x" is not pinned`},
		{"tag", controllers + "monitoring/repository.yaml", "tag: 87.17.0", "tag: latest", `OCIRepository monitoring/kube-prometheus-stack: tag "latest" is not pinned`},
		{"image", configs + "vault-init/job.yaml", "vault:2.0.4", "vault:latest", `Job vault/vault-init: image "docker.io/hashicorp/vault:latest" is not pinned`},
		{"secret", "gitops/apps/application/namespace.yaml", "kind: Namespace\n", "kind: Namespace\nmetadata:\n  name: x\n---\napiVersion: v1\nkind: Secret\nstringData: {a: b}\n", `Secret shop: has data, which would stay in Git for ever`},
		{"retries", controllers + "vault/release.yaml", "      retries: 3\n  upgrade", "      ignoreTestFailures: true\n  upgrade", `HelmRelease vault/vault: spec.install.remediation.retries is missing`},
		{"timeout", "gitops/clusters/common/every.yaml", "  timeout: 10m\n", "", `Kustomization storage: spec.timeout is missing`},
		{"owner", configs + "vault-front/kustomization.yaml", "resources:\n", "resources:\n  - ../storage\n", `StorageClass gp3: is also made by Kustomization storage: remove one`},
		{"Pulumi's", "gitops/infrastructure/access/base/namespaces.yaml", "name: external-secrets", "name: vault", `Namespace vault: is Pulumi's: remove it here`},
		{"cluster folder", "gitops/clusters/tooling/storage.yaml", "apiVersion: ", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: loose\n---\napiVersion: ", `ConfigMap loose: only Kustomizations of Flux belong here`},
	} {
		t.Run(tt.rule+": "+tt.want, func(t *testing.T) {
			t.Parallel()
			files, known := load(t)
			text, err := files.Read(tt.file)
			require.NoError(t, err)
			require.Contains(t, text, tt.old)
			require.NoError(t, files.Write(tt.file, strings.Replace(text, tt.old, tt.new, 1)))
			require.ErrorContains(t, files.Check(known, values()), tt.want)
		})
	}
}

func TestOrphansAreFound(t *testing.T) {
	files, known := load(t)
	require.NoError(t, files.Write("gitops/infrastructure/configs/storage/old.yaml", "kind: StorageClass\n"))
	require.EqualError(t, files.Check(known, values()),
		"gitops/infrastructure/configs/storage/old.yaml: no cluster uses it: list it in a kustomization.yaml, or remove it")
}

// Without any one key of the runtime info, the message names the key.
func TestEveryKeyIsUsed(t *testing.T) {
	for _, cluster := range runtimeinfo.Clusters() {
		for _, key := range runtimeinfo.For(cluster) {
			t.Run(cluster+" "+key.Name, func(t *testing.T) {
				t.Parallel()
				files, known := load(t)
				missing := values()
				delete(missing[cluster], key.Name)
				err := files.Check(known, missing)
				if err == nil {
					require.Contains(t, unused[cluster], key.Name, "no file uses ${%s}: remove the key", key.Name)
					return
				}
				require.NotContains(t, unused[cluster], key.Name)
				require.ErrorContains(t, err, "variable ${"+key.Name+"} is no key of the runtime info")
			})
		}
	}
}

// unused are keys that a cluster is given and does not use yet: the application cluster's
// apps come later.
var unused = map[string][]string{
	runtimeinfo.Tooling:     {runtimeinfo.Environment},
	runtimeinfo.Application: {runtimeinfo.Environment, runtimeinfo.GitURL, runtimeinfo.GitBranch, runtimeinfo.VaultHostname, runtimeinfo.VPCCIDR},
}

// Without the definitions of a product, its objects are named.
func TestDefinitionsAreNeeded(t *testing.T) {
	for group, want := range map[string]string{
		"elbv2.k8s.aws":            "TargetGroupBinding vault/vault: no definition of TargetGroupBinding in elbv2.k8s.aws/v1beta1",
		"external-secrets.io":      "ClusterSecretStore vault: no definition of ClusterSecretStore in external-secrets.io/v1",
		"monitoring.coreos.com":    "PodMonitor vault/vault: no definition of PodMonitor in monitoring.coreos.com/v1",
		"image.toolkit.fluxcd.io":  "ImagePolicy flux-system/ui: no definition of ImagePolicy in image.toolkit.fluxcd.io/v1",
		"helm.toolkit.fluxcd.io":   "HelmRelease vault/vault: no definition of HelmRelease in helm.toolkit.fluxcd.io/v2",
		"source.toolkit.fluxcd.io": "no definition of HelmRepository in source.toolkit.fluxcd.io/v1",
	} {
		t.Run(group, func(t *testing.T) {
			t.Parallel()
			files, known := load(t)
			require.ErrorContains(t, files.Check(known.Without(group), values()), want)
		})
	}
}

// edgeForm is one entry of a dependsOn.
var edgeForm = regexp.MustCompile(`    - name: (\S+)\n`)

// Taking out any single edge of the order fails, naming both sides, unless another way
// leads there.
func TestEveryEdgeMatters(t *testing.T) {
	files, _ := load(t)
	all, err := files.Files()
	require.NoError(t, err)
	checked := 0
	for _, file := range all {
		if !strings.HasPrefix(file, "gitops/clusters/") || strings.HasPrefix(file, "gitops/clusters/common/") {
			continue
		}
		text, err := files.Read(file)
		require.NoError(t, err)
		for _, at := range edgeForm.FindAllStringSubmatchIndex(text, -1) {
			on := text[at[2]:at[3]]
			without := text[:at[0]] + text[at[1]:]
			names := regexp.MustCompile(`\n  name: (\S+)\n`).FindAllStringSubmatch(text[:at[0]], -1)
			from := names[len(names)-1][1]
			checked++
			t.Run(from+" after "+on, func(t *testing.T) {
				t.Parallel()
				damaged, known := load(t)
				require.NoError(t, damaged.Write(file, without))
				err := damaged.Check(known, values())
				if err == nil {
					require.Contains(t, redundant[from], on, "the edge can go: nothing depends on it")
					return
				}
				require.NotContains(t, redundant[from], on)
				require.ErrorContains(t, err, "Kustomization "+from+": ")
				require.ErrorContains(t, err, on)
			})
		}
	}
	t.Logf("%d edges taken out one at a time", checked)
}

// redundant edges are also kept by others; they say what a unit itself uses.
var redundant = map[string][]string{
	"external-secrets": {"access"},
	"monitoring":       {"access"},
	"vault":            {"access"},
	"vault-injector":   {"access"},
	"vault-front":      {"load-balancer-controller"},
}
