package vaultha_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/strongroom-platform/strongroom/components/vaultha"
	"github.com/strongroom-platform/strongroom/internal/iampolicy"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
	"github.com/strongroom-platform/strongroom/internal/tags"
)

const (
	componentType = "strongroom:vaultha:VaultHA"
	keyType       = "aws:kms/key:Key"
	recoveryType  = "aws:secretsmanager/secret:Secret"
	bucketType    = "aws:s3/bucketV2:BucketV2"
	objectType    = "kubernetes:core/v1:Secret"
	volumeType    = "kubernetes:core/v1:PersistentVolume"
)

var testTags = tags.Tags{"environment": "test"}

func valid() *vaultha.Args {
	return &vaultha.Args{
		Hostname: "vault.tooling.internal",
		Region:   "eu-central-1",
		Replicas: 3,
		Storage:  vaultha.Storage{Kind: vaultha.GP3, StorageClass: "gp3", SizeGiB: 10, AuditSizeGiB: 10},
		Image:    vaultha.Image{Repository: "docker.io/hashicorp/vault", Tag: "2.0.4"},
		Certificate: vaultha.Certificate{
			Days: 365, RenewBeforeDays: 30,
		},
		Authority:             vaultha.Authority{Days: 3650, Trusted: []int{1}, Active: 1},
		RecoveryWindowDays:    30,
		SnapshotRetentionDays: 30,
		Tags:                  testTags,
		Protect:               true,
	}
}

// program makes a VaultHA, and exports what its policies allow.
func program(change func(*vaultha.Args)) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		s, err := pulumitest.NewSurroundings(ctx, testTags)
		if err != nil {
			return err
		}
		cluster, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		certificates, err := tls.NewProvider(ctx, "tls", &tls.ProviderArgs{})
		if err != nil {
			return err
		}
		args := valid()
		args.VPCID, args.NodeSecurityGroupID = s.VPCID, pulumi.Sprintf("sg-of-%s", s.VPCID)
		for i, zone := range []string{"a", "b"} {
			args.Subnets = append(args.Subnets, vaultha.Subnet{Name: zone, ID: s.SubnetIDs[i]})
		}
		if change != nil {
			change(args)
		}
		v, err := vaultha.New(ctx, "main-vault", args, pulumi.Providers(s.AWS, cluster, certificates))
		if err != nil {
			return err
		}
		for name, policy := range map[string]*iampolicy.Document{"server": v.ServerPolicy, "init": v.InitPolicy, "snapshot": v.SnapshotPolicy} {
			text, err := policy.JSON(iampolicy.Identity)
			if err != nil {
				return err
			}
			ctx.Export(name, text)
		}
		return nil
	}
}

func TestVaultHA(t *testing.T) {
	g := pulumitest.RunBoth(t, program(nil), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckNames(t)
	g.CheckOutputs(t)
	g.CheckTags(t, testTags)
	g.CheckProviders(t, "aws", "kubernetes", "tls")
	wildcards, err := g.Wildcards()
	require.NoError(t, err)
	require.Empty(t, wildcards)
	require.Empty(t, g.OpenToAll())

	require.Equal(t, []string{"main-vault-recovery-key", "main-vault-unseal-key"}, g.Names(keyType))
	require.Equal(t, []string{"main-vault-recovery"}, g.Names(recoveryType))
	require.Equal(t, []string{"main-vault-snapshots"}, g.Names(bucketType))
	require.Empty(t, g.OfType("aws:secretsmanager/secretVersion:SecretVersion"), "the first start writes it, Pulumi never sees it")
	require.Empty(t, g.OfType("aws:efs/fileSystem:FileSystem"))
	require.Empty(t, g.OfType(volumeType))

	unseal, recovery := g.Get(t, keyType, "main-vault-unseal-key"), g.Get(t, keyType, "main-vault-recovery-key")
	secret, bucket := g.Get(t, recoveryType, "main-vault-recovery"), g.Get(t, bucketType, "main-vault-snapshots")
	require.Equal(t, recovery.State["arn"].StringValue(), secret.Get("kmsKeyId"))
	require.Equal(t, 30.0, secret.Get("recoveryWindowInDays"))
	require.Nil(t, secret.Get("name"), "a deleted secret keeps its name for a while")
	require.Equal(t, false, bucket.Get("forceDestroy"))

	// Each role may do its own, and nothing of the others.
	arn := func(r *pulumitest.Resource) string { return r.State["arn"].StringValue() }
	require.JSONEq(t, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Sid":"Unseal","Effect":"Allow","Action":["kms:Encrypt","kms:Decrypt","kms:DescribeKey"],"Resource":[%q]}]}`, arn(unseal)), g.Output("server").(string))
	require.JSONEq(t, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Sid":"RecoverySecret","Effect":"Allow","Action":["secretsmanager:DescribeSecret","secretsmanager:GetSecretValue","secretsmanager:PutSecretValue"],"Resource":[%q]},
		{"Sid":"RecoverySecretKey","Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":[%q],
		 "Condition":{"StringEquals":{"kms:ViaService":["secretsmanager.eu-central-1.amazonaws.com"]}}}]}`, arn(secret), arn(recovery)), g.Output("init").(string))
	require.JSONEq(t, fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Sid":"PutSnapshots","Effect":"Allow","Action":["s3:PutObject"],"Resource":["%s/snapshots/*"]}]}`, arn(bucket)), g.Output("snapshot").(string))

	component := g.Get(t, componentType, "main-vault")
	require.Equal(t, arn(secret), component.Output("recoverySecretArn"))
	require.Equal(t, arn(unseal), component.Output("unsealKeyArn"))
	require.Equal(t, []any{
		"https://vault-0.vault-internal:8200", "https://vault-1.vault-internal:8200", "https://vault-2.vault-internal:8200",
	}, component.Output("peers"))
}

func TestSnapshotBucketIsClosed(t *testing.T) {
	g := pulumitest.Run(t, program(nil), pulumitest.Options{})
	access := g.OfType("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
	require.Len(t, access, 1)
	for _, setting := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		require.Equal(t, true, access[0].Get(setting), setting)
	}
	require.Equal(t, "Enabled", g.OfType("aws:s3/bucketVersioningV2:BucketVersioningV2")[0].Get("versioningConfiguration.status"))
	encryption := g.OfType("aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2")[0]
	require.Equal(t, "AES256", encryption.Get("rules.0.applyServerSideEncryptionByDefault.sseAlgorithm"))
	lifecycle := g.OfType("aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2")[0]
	require.Equal(t, 30.0, lifecycle.Get("rules.0.expiration.days"))
	require.Equal(t, 30.0, lifecycle.Get("rules.0.noncurrentVersionExpiration.noncurrentDays"))
	policy := g.OfType("aws:s3/bucketPolicy:BucketPolicy")[0].Get("policy").(string)
	require.Contains(t, policy, `"Effect":"Deny"`)
	require.Contains(t, policy, `"aws:SecureTransport":["false"]`)
}

// What cannot be made again is protected, and only that, and not when told otherwise.
func TestProtection(t *testing.T) {
	protected := []string{
		"main-vault-unseal-key", "main-vault-recovery-key", "main-vault-recovery", "main-vault-snapshots", "main-vault-namespace", "main-vault-ca-1-key",
	}
	for _, protect := range []bool{true, false} {
		g := pulumitest.Run(t, program(func(a *vaultha.Args) { a.Protect = protect }), pulumitest.Options{})
		var found []string
		for _, r := range g.ChildrenOf(g.Get(t, componentType, "main-vault")) {
			if r.Protect {
				found = append(found, r.Name)
			}
		}
		if protect {
			require.ElementsMatch(t, protected, found)
		} else {
			require.Empty(t, found)
		}
		require.Equal(t, !protect, g.Get(t, bucketType, "main-vault-snapshots").Get("forceDestroy"))
	}
}

func TestCertificates(t *testing.T) {
	g := pulumitest.Run(t, program(nil), pulumitest.Options{})
	ca := g.Get(t, "tls:index/selfSignedCert:SelfSignedCert", "main-vault-ca-1")
	certificate := g.Get(t, "tls:index/locallySignedCert:LocallySignedCert", "main-vault-server-certificate")
	require.Equal(t, true, ca.Get("isCaCertificate"))
	require.Equal(t, 3650.0*24, ca.Get("validityPeriodHours"))
	require.Equal(t, 365.0*24, certificate.Get("validityPeriodHours"))
	require.Equal(t, 30.0*24, certificate.Get("earlyRenewalHours"))
	// Renewed this early, an authority outlives whatever it signed the moment before.
	require.Greater(t, ca.Get("earlyRenewalHours"), certificate.Get("validityPeriodHours"))

	request := g.Get(t, "tls:index/certRequest:CertRequest", "main-vault-server-request")
	names := request.Get("dnsNames").([]any)
	for _, name := range []string{
		"vault.tooling.internal", "localhost", "vault", "vault.vault.svc", "vault-active.vault.svc.cluster.local",
		"vault-0.vault-internal", "vault-1.vault-internal", "vault-2.vault-internal", "vault-2.vault-internal.vault.svc",
	} {
		require.Contains(t, names, name)
	}
	require.NotContains(t, names, "vault-3.vault-internal")
	require.ElementsMatch(t, []any{"127.0.0.1", "::1"}, request.Get("ipAddresses"))

	secret := g.Get(t, objectType, "main-vault-tls")
	require.Equal(t, "vault-tls", secret.Get("metadata.name"))
	require.Equal(t, "vault", secret.Get("metadata.namespace"))
	require.Equal(t, "kubernetes.io/tls", secret.Get("type"))
	require.True(t, secret.IsSecret("stringData"))
	require.True(t, g.DependsOn(secret, g.Get(t, "kubernetes:core/v1:Namespace", "main-vault-namespace")))
	g.CheckNoPlaintext(t, "simulated private key of main-vault-server-key", "simulated private key of main-vault-ca-1-key")
}

// Two authorities: clients trust both, one signs, and taking the old one away leaves
// the new one what it is.
func TestAuthorityIsRotated(t *testing.T) {
	g := pulumitest.Run(t, program(func(a *vaultha.Args) { a.Authority.Trusted, a.Authority.Active = []int{2, 1}, 2 }), pulumitest.Options{})
	require.Equal(t, []string{"main-vault-ca-1", "main-vault-ca-2"}, g.Names("tls:index/selfSignedCert:SelfSignedCert"))
	certificate := g.Get(t, "tls:index/locallySignedCert:LocallySignedCert", "main-vault-server-certificate")
	require.Equal(t, "simulated certificate main-vault-ca-2", certificate.Get("caCertPem"))
	bundle := g.Get(t, componentType, "main-vault").Output("caCertificates").(string)
	require.Contains(t, bundle, "main-vault-ca-1")
	require.Contains(t, bundle, "main-vault-ca-2")
	require.False(t, g.Get(t, "tls:index/privateKey:PrivateKey", "main-vault-ca-1-key").Protect, "it goes next")
}

func TestEFS(t *testing.T) {
	g := pulumitest.RunBoth(t, program(func(a *vaultha.Args) {
		a.Storage = vaultha.Storage{Kind: vaultha.EFS, SizeGiB: 10, AuditSizeGiB: 5}
	}), pulumitest.Options{})
	g.CheckParents(t)
	g.CheckTags(t, testTags)
	require.Empty(t, g.OpenToAll())
	system := g.Get(t, "aws:efs/fileSystem:FileSystem", "main-vault-efs")
	require.True(t, system.Protect)
	require.Equal(t, true, system.Get("encrypted"))
	require.Equal(t, []string{"main-vault-efs-a", "main-vault-efs-b"}, g.Names("aws:efs/mountTarget:MountTarget"))
	rule := g.OfType("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")[0]
	require.Equal(t, 2049.0, rule.Get("fromPort"))
	require.Nil(t, rule.Get("cidrIpv4"), "the nodes and nobody else")

	require.Len(t, g.OfType("aws:efs/accessPoint:AccessPoint"), 6, "one for each server's data and audit log")
	volumes := g.OfType(volumeType)
	require.Len(t, volumes, 6)
	handles := map[any]bool{}
	for _, volume := range volumes {
		handles[volume.Get("spec.csi.volumeHandle")] = true
		require.NoError(t, volume.Fits(corev1.PersistentVolumeArgs{}))
		require.Equal(t, "Retain", volume.Get("spec.persistentVolumeReclaimPolicy"))
		require.Equal(t, "vault", volume.Get("spec.claimRef.namespace"))
	}
	require.Len(t, handles, 6, "no server sees another's")
	data := g.Get(t, volumeType, "main-vault-efs-data-2-volume")
	require.Equal(t, "data-vault-2", data.Get("spec.claimRef.name"))
	require.Equal(t, "10Gi", data.Get("spec.capacity.storage"))
}

func TestChartValues(t *testing.T) {
	g := pulumitest.Run(t, program(nil), pulumitest.Options{})
	secret := g.Get(t, objectType, "main-vault-values")
	require.Equal(t, "vault-helm-values", secret.Get("metadata.name"))
	text := valuesOf(t, secret)
	require.NotContains(t, text, "tls_disable")
	var values struct {
		Global struct{ TLSDisable *bool }
		Server struct {
			UpdateStrategyType string
			HA                 struct {
				Replicas int
				Raft     struct{ Config string }
			}
			DataStorage   struct{ StorageClass string }
			LivenessProbe struct {
				Enabled                         bool
				Path                            string
				PeriodSeconds, FailureThreshold int
			}
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(text), &values))
	require.NotNil(t, values.Global.TLSDisable, "the chart's default is true")
	require.False(t, *values.Global.TLSDisable)
	require.Equal(t, 3, values.Server.HA.Replicas)
	require.Equal(t, "gp3", values.Server.DataStorage.StorageClass)
	require.Equal(t, "OnDelete", values.Server.UpdateStrategyType)
	alive := values.Server.LivenessProbe
	require.True(t, alive.Enabled, "a server that hangs is started again")
	require.Equal(t, 600, alive.PeriodSeconds*alive.FailureThreshold)
	at, err := url.Parse(alive.Path)
	require.NoError(t, err)
	for _, state := range []string{"sealedcode", "uninitcode", "haunhealthycode", "removedcode"} {
		require.Equal(t, "204", at.Query().Get(state), "%s: a new start would not help, and without KMS it would harm", state)
	}
	unseal := g.Get(t, keyType, "main-vault-unseal-key").State["arn"].StringValue()
	require.Equal(t, vaultha.ServerConfig(vaultha.Server{Replicas: 3, Region: "eu-central-1", UnsealKeyARN: unseal}), values.Server.HA.Raft.Config)
}

func valuesOf(t *testing.T, secret *pulumitest.Resource) string {
	t.Helper()
	data, ok := secret.Get("stringData").(map[string]any)
	require.True(t, ok)
	text, ok := data["values.yaml"].(string)
	require.True(t, ok)
	return text
}

func TestServerConfig(t *testing.T) {
	for _, replicas := range []int{3, 5} {
		config := vaultha.ServerConfig(vaultha.Server{Replicas: replicas, Region: "eu-west-1", UnsealKeyARN: "arn:aws:kms:eu-west-1:123456789012:key/k"})
		require.Equal(t, replicas, strings.Count(config, "retry_join {"))
		for i := range replicas {
			require.Contains(t, config, fmt.Sprintf("leader_tls_servername = \"vault-%d.vault-internal\"", i))
			require.Contains(t, config, fmt.Sprintf("leader_api_addr       = \"https://vault-%d.vault-internal:8200\"", i))
		}
		require.Equal(t, replicas, strings.Count(config, `leader_ca_cert_file   = "/vault/userconfig/vault-tls/ca.crt"`))
		require.NotContains(t, config, "tls_disable")
		require.NotContains(t, config, "http://")
		require.Contains(t, config, `kms_key_id = "arn:aws:kms:eu-west-1:123456789012:key/k"`)
	}
}

func TestValidate(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*vaultha.Args)
		want   string
	}{
		"even":             {func(a *vaultha.Args) { a.Replicas = 4 }, "replicas: 4 is even: raft needs a majority, so 4 servers survive no more failures than 3 do"},
		"one":              {func(a *vaultha.Args) { a.Replicas = 1 }, "replicas: 1 servers are not possible: use 3, 5 or 7"},
		"many":             {func(a *vaultha.Args) { a.Replicas = 9 }, "replicas: 9 servers are not possible"},
		"storage":          {func(a *vaultha.Args) { a.Storage.Kind = "nfs" }, `storage.type: "nfs" is no kind of storage: use "gp3" or "efs"`},
		"EFS with a class": {func(a *vaultha.Args) { a.Storage.Kind = vaultha.EFS }, `storage.storageClass: "gp3" would not be used: with efs`},
		"no class":         {func(a *vaultha.Args) { a.Storage.StorageClass = "" }, `storage.storageClass: "" is no name of a storage class`},
		"size":             {func(a *vaultha.Args) { a.Storage.SizeGiB = 0 }, "storage.sizeGiB: 0 GiB is not possible"},
		"audit size":       {func(a *vaultha.Args) { a.Storage.AuditSizeGiB = 20000 }, "storage.auditSizeGiB: 20000 GiB is not possible"},
		"latest":           {func(a *vaultha.Args) { a.Image.Tag = "latest" }, `image.tag: "latest" does not pin a version`},
		"outlives":         {func(a *vaultha.Args) { a.Authority.Days = 200 }, "certificate.days: the certificate is valid for 365 days and would outlive its authority, which is for 200"},
		"outlives later":   {func(a *vaultha.Args) { a.Authority.Days = 390 }, "ca.days: 390 days are too few"},
		"renewal":          {func(a *vaultha.Args) { a.Certificate.RenewBeforeDays = 365 }, "certificate.renewBeforeDays: 365 days before the end"},
		"long certificate": {func(a *vaultha.Args) { a.Certificate.Days = 1000 }, "certificate.days: 1000 days are not possible: use 2 to 825"},
		"trusts nobody":    {func(a *vaultha.Args) { a.Authority.Trusted = nil }, "ca.trusted: the list is empty"},
		"trusted twice":    {func(a *vaultha.Args) { a.Authority.Trusted = []int{1, 1} }, "ca.trusted: 1 is listed twice"},
		"trusted zero":     {func(a *vaultha.Args) { a.Authority.Trusted = []int{0, 1} }, "ca.trusted: 0 is no number of an authority"},
		"untrusted":        {func(a *vaultha.Args) { a.Authority.Active = 2 }, "ca.active: authority 2 signs but is not trusted"},
		"recovery":         {func(a *vaultha.Args) { a.RecoveryWindowDays = 6 }, "recoveryWindowDays: 6 days are not possible"},
		"snapshots":        {func(a *vaultha.Args) { a.SnapshotRetentionDays = 0 }, "snapshotRetentionDays: 0 days are not possible"},
		"hostname":         {func(a *vaultha.Args) { a.Hostname = "vault" }, `hostname "vault" is not a full domain name`},
		"no region":        {func(a *vaultha.Args) { a.Region = "" }, "region is missing"},
		"EFS nowhere": {func(a *vaultha.Args) {
			a.Storage.Kind, a.Storage.StorageClass, a.Subnets = vaultha.EFS, "", nil
		}, "vpcId, subnets and nodeSecurityGroupId are needed for EFS"},
		"tags": {func(a *vaultha.Args) { a.Tags = tags.Tags{"aws:x": "y"} }, `tags: key "aws:x" starts with "aws:"`},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := pulumitest.RunErr(program(test.change), pulumitest.Options{})
			require.ErrorContains(t, err, `vault "main-vault": `+test.want)
			require.Empty(t, g.OfType(componentType))
			require.Empty(t, g.OfType(keyType))
		})
	}
	require.EqualError(t, (*vaultha.Args)(nil).Validate("v"), `vault "v": the arguments are nil`)
	require.ErrorContains(t, valid().Validate(strings.Repeat("v", 41)), "use at most 40 letters")
}
