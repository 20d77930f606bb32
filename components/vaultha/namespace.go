package vaultha

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
)

// namespace makes Vault's namespace. It is here and not in Git, because the Secrets
// that Vault is installed from must be in it before Flux comes. It is protected,
// because Vault's disks go with it.
func (b *builder) namespace() error {
	names := labels()
	// The chart's injector does not set all that "restricted" asks for.
	names["pod-security.kubernetes.io/enforce"] = pulumi.String("baseline")
	names["pod-security.kubernetes.io/warn"] = pulumi.String("restricted")
	made, err := kubeobject.NewNamespace(b.ctx, b.name+"-namespace", kubeobject.Metadata{
		Name: pulumi.String(Namespace), Labels: names,
	}, b.child(pulumi.Protect(b.args.Protect))...)
	if err != nil {
		return err
	}
	b.home = made
	b.vault.Namespace = made.Name()
	return nil
}
