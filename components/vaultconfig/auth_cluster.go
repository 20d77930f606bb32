package vaultconfig

import (
	"encoding/base64"
	"fmt"
	"net/url"

	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/jwt"
	"github.com/pulumi/pulumi-vault/sdk/v6/go/vault/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// clusterAuth lets the service accounts of the stack's cluster log in.
func (b *builder) clusterAuth() error {
	c := b.args.Cluster
	switch {
	case c == nil:
		return nil
	case c.Method == JWT:
		return b.jwtAuth(c)
	default:
		return b.kubernetesAuth(c)
	}
}

// ClusterMount is the path of the login of a cluster, by its owner.
func (a *Args) ClusterMount() string {
	if a.Cluster != nil && a.Cluster.Method == JWT {
		return "jwt-" + a.Owner
	}
	return "kubernetes-" + a.Owner
}

// kubernetesAuth asks the cluster's API about every token. Inside of the cluster Vault
// asks with its own token, which it reads from its pod again whenever it expires; from
// outside each client asks about itself.
func (b *builder) kubernetesAuth(c *Cluster) error {
	path := b.args.ClusterMount()
	mount, err := vault.NewAuthBackend(b.ctx, b.name+"-"+path, &vault.AuthBackendArgs{
		Type:        pulumi.String("kubernetes"),
		Path:        pulumi.String(path),
		Description: pulumi.String("Service accounts of " + b.args.Owner),
	}, b.child()...)
	if err != nil {
		return err
	}
	_, err = kubernetes.NewAuthBackendConfig(b.ctx, b.name+"-"+path+"-config", &kubernetes.AuthBackendConfigArgs{
		Backend:           mount.Path,
		KubernetesHost:    c.Endpoint,
		KubernetesCaCert:  decoded(c.CertificateAuthority),
		DisableLocalCaJwt: pulumi.Bool(c.Method == Kubernetes),
		// The API server checks the issuer when it reviews the token.
		DisableIssValidation: pulumi.Bool(true),
	}, b.childOf(mount)...)
	if err != nil {
		return err
	}
	b.clusterMount, b.clusterBackend = mount.Path, mount
	return nil
}

// jwtAuth verifies tokens by the keys that the issuer publishes.
func (b *builder) jwtAuth(c *Cluster) error {
	path := b.args.ClusterMount()
	mount, err := jwt.NewAuthBackend(b.ctx, b.name+"-"+path, &jwt.AuthBackendArgs{
		Path:               pulumi.String(path),
		Description:        pulumi.String("Service accounts of " + b.args.Owner),
		OidcDiscoveryUrl:   c.OIDCIssuer,
		BoundIssuer:        c.OIDCIssuer,
		OidcDiscoveryCaPem: issuerCA(c),
	}, b.child()...)
	if err != nil {
		return err
	}
	b.clusterMount, b.clusterBackend = mount.Path.Elem(), mount
	return nil
}

// issuerCA is the cluster's CA where its API is the issuer too, and empty for an issuer
// with a public certificate, as all of EKS have.
func issuerCA(c *Cluster) pulumi.StringOutput {
	return pulumi.All(c.OIDCIssuer, c.Endpoint, c.CertificateAuthority).ApplyT(func(all []any) (string, error) {
		issuer, _ := all[0].(string)
		endpoint, _ := all[1].(string)
		ca, _ := all[2].(string)
		if !sameHost(issuer, endpoint) {
			return "", nil
		}
		return decode(ca)
	}).(pulumi.StringOutput)
}

func sameHost(a, b string) bool {
	first, err := url.Parse(a)
	if err != nil {
		return false
	}
	second, err := url.Parse(b)
	return err == nil && first.Host != "" && first.Host == second.Host
}

// decoded is a certificate of a kubeconfig in PEM.
func decoded(encoded pulumi.StringInput) pulumi.StringOutput {
	return encoded.ToStringOutput().ApplyT(decode).(pulumi.StringOutput)
}

func decode(encoded string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return "", fmt.Errorf("the cluster's certificate authority is not base64: %w", err)
	}
	return string(text), nil
}

// audience is what tokens must be made for: this Vault, but where they have to be good
// for the API too.
func (c *Cluster) audience() pulumi.StringInput {
	switch {
	case c.Method != Kubernetes:
		return pulumi.String(Audience)
	case c.APIAudience != nil:
		return c.APIAudience
	default:
		return pulumi.String("https://kubernetes.default.svc")
	}
}

// clusterRole lets one service account in as a workload.
func (b *builder) clusterRole(w *Workload, policy pulumi.StringInput) error {
	name := b.name + "-" + w.Name + "-login"
	ttl, limit := seconds(or(w.TTL, defaultTTL)), seconds(or(w.MaxTTL, defaultMaxTTL))
	var err error
	if b.args.Cluster.Method == JWT {
		_, err = jwt.NewAuthBackendRole(b.ctx, name, &jwt.AuthBackendRoleArgs{
			Backend:        b.clusterMount,
			RoleName:       pulumi.String(w.Name),
			RoleType:       pulumi.String("jwt"),
			BoundAudiences: pulumi.StringArray{pulumi.String(Audience)},
			BoundSubject:   pulumi.Sprintf("system:serviceaccount:%s:%s", w.Namespace, w.ServiceAccount),
			UserClaim:      pulumi.String("sub"),
			TokenPolicies:  pulumi.StringArray{policy},
			TokenTtl:       ttl,
			TokenMaxTtl:    limit,
		}, b.childOf(b.clusterBackend)...)
		return err
	}
	_, err = kubernetes.NewAuthBackendRole(b.ctx, name, &kubernetes.AuthBackendRoleArgs{
		Backend:                       b.clusterMount,
		RoleName:                      pulumi.String(w.Name),
		BoundServiceAccountNames:      pulumi.StringArray{pulumi.String(w.ServiceAccount)},
		BoundServiceAccountNamespaces: pulumi.StringArray{pulumi.String(w.Namespace)},
		Audience:                      b.args.Cluster.audience(),
		TokenPolicies:                 pulumi.StringArray{policy},
		TokenTtl:                      ttl,
		TokenMaxTtl:                   limit,
	}, b.childOf(b.clusterBackend)...)
	return err
}
