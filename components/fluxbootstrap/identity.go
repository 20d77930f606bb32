package fluxbootstrap

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-tls/sdk/v5/go/tls"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/crypto/ssh"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

// The Secrets with SSH identities, as the tree names them.
const (
	readSecret  = "flux-system"
	writeSecret = "flux-image-automation"
)

// identity is one key for the repository and the Secret that Flux finds it in.
type identity struct {
	// public is what the Git server is told, in the form of authorized_keys.
	public pulumi.StringOutput
	secret *kubeobject.Object
}

// readIdentity is the key that Flux reads the repository with: the one that was given,
// or one that is made.
func (b *builder) readIdentity() (*identity, error) {
	if b.args.Git.PrivateKey == nil {
		return b.newIdentity("read", readSecret)
	}
	private := pulumi.ToSecret(b.args.Git.PrivateKey.ToStringOutput()).(pulumi.StringOutput)
	public := pulumi.Unsecret(private.ApplyT(publicKey)).(pulumi.StringOutput)
	return b.keep("read", readSecret, private, public)
}

// newIdentity makes a key of its own.
func (b *builder) newIdentity(what, secret string) (*identity, error) {
	key, err := tls.NewPrivateKey(b.ctx, b.name+"-"+what+"-key", &tls.PrivateKeyArgs{
		Algorithm: pulumi.String("ED25519"),
	}, b.child()...)
	if err != nil {
		return nil, fmt.Errorf("%s key: %w", what, err)
	}
	public := key.PublicKeyOpenssh.ApplyT(strings.TrimSpace).(pulumi.StringOutput)
	return b.keep(what, secret, key.PrivateKeyOpenssh, public)
}

// keep puts a key into the Secret that a GitRepository refers to. See
// https://fluxcd.io/flux/components/source/gitrepositories/#ssh-authentication.
func (b *builder) keep(what, name string, private, public pulumi.StringOutput) (*identity, error) {
	secret, err := kubeobject.NewSecret(b.ctx, b.name+"-"+what+"-secret", kubeobject.Opaque, b.metadata(name), pulumi.StringMap{
		"identity":     private,
		"identity.pub": public,
		"known_hosts":  pulumi.String(b.args.Git.KnownHosts),
	}, b.child()...)
	if err != nil {
		return nil, fmt.Errorf("%s secret: %w", what, err)
	}
	return &identity{public: public, secret: secret}, nil
}

// publicKey is the public half of a private key, which CheckPrivateKey is asked again
// about, because a key that comes from elsewhere is only known now.
func publicKey(private string) (string, error) {
	if err := CheckPrivateKey(private); err != nil {
		return "", fmt.Errorf("privateKey: %w", err)
	}
	signer, err := ssh.ParsePrivateKey([]byte(private))
	if err != nil {
		return "", fmt.Errorf("privateKey: is of a kind that SSH does not know")
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))), nil
}

// child returns the options for a child of the component.
func (b *builder) child(extra ...pulumi.ResourceOption) []pulumi.ResourceOption {
	return component.Child(b.flux, extra...)
}

// labels are on everything that Pulumi puts into the cluster for Flux, so that nobody
// takes it for something of Flux's.
func labels() pulumi.StringMap {
	return pulumi.StringMap{
		"app.kubernetes.io/part-of":    pulumi.String("strongroom"),
		"app.kubernetes.io/managed-by": pulumi.String("pulumi"),
	}
}
