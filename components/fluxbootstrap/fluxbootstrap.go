// Package fluxbootstrap hands a cluster over to Flux: its namespace, its SSH
// identities, the values that the tree in gitops/ substitutes, flux-operator with an
// instance of Flux, and the two root objects that point at the cluster's folder.
//
// Pulumi owns these and nothing of what Flux makes from Git.
package fluxbootstrap

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/component"
	"github.com/strongroom-platform/strongroom/internal/kubeobject"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

const token = "strongroom:fluxbootstrap:FluxBootstrap"

// FluxBootstrap is Flux, pointed at its repository.
type FluxBootstrap struct {
	pulumi.ResourceState

	// DeployKey is the public key that the repository must let read, WriteKey the one
	// that it must let write, for image automation alone; both in the form of
	// authorized_keys.
	DeployKey pulumi.StringOutput
	WriteKey  pulumi.StringOutput
	// Sync is the last thing made, and the first to go.
	Sync pulumi.Resource
}

// builder is what the concerns share while one bootstrap is made.
type builder struct {
	ctx       *pulumi.Context
	name      string
	args      *Args
	flux      *FluxBootstrap
	namespace *kubeobject.Object
}

// New makes the namespace, what Flux finds in it, Flux, and the sync.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*FluxBootstrap, error) {
	if err := args.Validate(name); err != nil {
		return nil, err
	}
	f := &FluxBootstrap{}
	if err := component.Register(ctx, token, name, args.inputs(), f, opts...); err != nil {
		return nil, err
	}
	b := &builder{ctx: ctx, name: name, args: args, flux: f}
	if err := b.make(); err != nil {
		return nil, fmt.Errorf("flux %q: %w", name, err)
	}
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"deployKey": f.DeployKey, "writeKey": f.WriteKey})
}

func (b *builder) make() error {
	var err error
	b.namespace, err = kubeobject.NewNamespace(b.ctx, b.name+"-namespace", kubeobject.Metadata{
		Name: pulumi.String(runtimeinfo.Namespace), Labels: labels(),
	}, b.child()...)
	if err != nil {
		return fmt.Errorf("namespace: %w", err)
	}
	read, err := b.readIdentity()
	if err != nil {
		return err
	}
	write, err := b.newIdentity("write", writeSecret)
	if err != nil {
		return err
	}
	info, err := b.runtimeInfo()
	if err != nil {
		return err
	}
	operator, err := b.operator()
	if err != nil {
		return err
	}
	instance, err := b.instance(operator)
	if err != nil {
		return err
	}
	b.flux.Sync, err = b.sync(append(info, instance, read.secret, write.secret)...)
	if err != nil {
		return err
	}
	b.flux.DeployKey, b.flux.WriteKey = read.public, write.public
	return nil
}

// metadata is that of an object beside Flux; the namespace comes first.
func (b *builder) metadata(name string) kubeobject.Metadata {
	return kubeobject.Metadata{Name: pulumi.String(name), Namespace: b.namespace.Name(), Labels: labels()}
}
