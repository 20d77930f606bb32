// Package kubeobject declares objects of Kubernetes, for the kinds that components make,
// as the SDK's core/v1 and apiextensions do: the registration is the same, which the test
// compares.
//
// It is here for the time that a build takes. core/v1 is the second largest package that
// the program would compile; and whatever names one type of the SDK's meta/v1 makes the
// compiler emit thousands of functions again, in every package.
package kubeobject

import (
	"fmt"
	"maps"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/utilities"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Metadata of an object.
type Metadata struct {
	Name pulumi.StringInput
	// Namespace is nil for what is in none.
	Namespace pulumi.StringInput
	Labels    pulumi.StringMap
}

// Object is one object in a cluster.
type Object struct {
	pulumi.CustomResourceState

	Metadata pulumi.MapOutput `pulumi:"metadata"`
}

// Name is known once the object exists, so that what uses it comes later.
func (o *Object) Name() pulumi.StringOutput {
	return o.Metadata.ApplyT(func(metadata map[string]any) (string, error) {
		name, ok := metadata["name"].(string)
		if !ok {
			return "", fmt.Errorf("the object has no name: its metadata are %v", metadata)
		}
		return name, nil
	}).(pulumi.StringOutput)
}

// NewNamespace declares a Namespace.
func NewNamespace(ctx *pulumi.Context, name string, metadata Metadata, opts ...pulumi.ResourceOption) (*Object, error) {
	return newCore(ctx, "Namespace", name, metadata, nil, opts...)
}

// NewConfigMap declares a ConfigMap with data.
func NewConfigMap(
	ctx *pulumi.Context, name string, metadata Metadata, data pulumi.StringMap, opts ...pulumi.ResourceOption,
) (*Object, error) {
	return newCore(ctx, "ConfigMap", name, metadata, map[string]any{"data": data}, opts...)
}

// Kinds of Secret, see https://kubernetes.io/docs/concepts/configuration/secret/#secret-types.
const (
	Opaque = "Opaque"
	TLS    = "kubernetes.io/tls"
)

// NewSecret declares a Secret of a kind above, with data that is plain text here and
// secret in the state.
func NewSecret(
	ctx *pulumi.Context, name, kind string, metadata Metadata, data pulumi.StringMap, opts ...pulumi.ResourceOption,
) (*Object, error) {
	return newCore(ctx, "Secret", name, metadata, map[string]any{
		"type":       kind,
		"stringData": pulumi.ToSecret(data),
	}, append(opts, pulumi.AdditionalSecretOutputs([]string{"data", "stringData"}))...)
}

// NewPersistentVolume declares a PersistentVolume by its spec, in the words of
// https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/persistent-volume-v1/#PersistentVolumeSpec.
func NewPersistentVolume(
	ctx *pulumi.Context, name string, metadata Metadata, spec pulumi.Map, opts ...pulumi.ResourceOption,
) (*Object, error) {
	return newCore(ctx, "PersistentVolume", name, metadata, map[string]any{"spec": spec}, opts...)
}

// NewCustom declares an object of a kind that a CustomResourceDefinition brings.
func NewCustom(
	ctx *pulumi.Context, apiVersion, kind, name string, metadata Metadata, spec map[string]any, opts ...pulumi.ResourceOption,
) (*Object, error) {
	return register(ctx, "kubernetes:"+apiVersion+":"+kind, name, kubernetes.UntypedArgs{
		"apiVersion": apiVersion, "kind": kind, "spec": spec,
	}, metadata, opts...)
}

func newCore(
	ctx *pulumi.Context, kind, name string, metadata Metadata, fields map[string]any, opts ...pulumi.ResourceOption,
) (*Object, error) {
	args := kubernetes.UntypedArgs{"apiVersion": "v1", "kind": kind}
	maps.Copy(args, fields)
	return register(ctx, "kubernetes:core/v1:"+kind, name, args, metadata, utilities.PkgResourceDefaultOpts(opts)...)
}

func register(
	ctx *pulumi.Context, token, name string, args kubernetes.UntypedArgs, metadata Metadata, opts ...pulumi.ResourceOption,
) (*Object, error) {
	plain := pulumi.Map{"name": metadata.Name}
	if metadata.Namespace != nil {
		plain["namespace"] = metadata.Namespace
	}
	if metadata.Labels != nil {
		plain["labels"] = metadata.Labels
	}
	args["metadata"] = plain
	object := &Object{}
	return object, ctx.RegisterResource(token, name, args, object, opts...)
}
