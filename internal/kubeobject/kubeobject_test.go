package kubeobject_test

import (
	"testing"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/apiextensions"
	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
	"github.com/strongroom-platform/strongroom/internal/pulumitest"
)

func labels() pulumi.StringMap { return pulumi.StringMap{"part-of": pulumi.String("strongroom")} }

var (
	metadata = kubeobject.Metadata{Name: pulumi.String("one"), Namespace: pulumi.String("there"), Labels: labels()}
	theirs   = metav1.ObjectMetaArgs{Name: pulumi.String("one"), Namespace: pulumi.String("there"), Labels: labels()}
)

func data() pulumi.StringMap { return pulumi.StringMap{"key": pulumi.String("value")} }

// Every kind is registered as the SDK does it: with what is secret, and for the same
// version of the provider.
func TestRegistersAsTheSDK(t *testing.T) {
	for kind, programs := range map[string][2]func(*pulumi.Context, ...pulumi.ResourceOption) error{
		"Namespace": {
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := kubeobject.NewNamespace(ctx, "one", metadata, opts...)
				return err
			},
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := corev1.NewNamespace(ctx, "one", &corev1.NamespaceArgs{Metadata: theirs}, opts...)
				return err
			},
		},
		"ConfigMap": {
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := kubeobject.NewConfigMap(ctx, "one", metadata, data(), opts...)
				return err
			},
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := corev1.NewConfigMap(ctx, "one", &corev1.ConfigMapArgs{Metadata: theirs, Data: data()}, opts...)
				return err
			},
		},
		"Secret": {
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := kubeobject.NewSecret(ctx, "one", kubeobject.TLS, metadata, data(), opts...)
				return err
			},
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := corev1.NewSecret(ctx, "one", &corev1.SecretArgs{
					Metadata: theirs, Type: pulumi.String("kubernetes.io/tls"), StringData: data(),
				}, opts...)
				return err
			},
		},
		"PersistentVolume": {
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := kubeobject.NewPersistentVolume(ctx, "one", metadata, pulumi.Map{
					"capacity": pulumi.StringMap{"storage": pulumi.String("1Gi")}, "storageClassName": pulumi.String("efs"),
				}, opts...)
				return err
			},
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := corev1.NewPersistentVolume(ctx, "one", &corev1.PersistentVolumeArgs{
					Metadata: theirs,
					Spec: corev1.PersistentVolumeSpecArgs{
						Capacity: pulumi.StringMap{"storage": pulumi.String("1Gi")}, StorageClassName: pulumi.String("efs"),
					},
				}, opts...)
				return err
			},
		},
		"GitRepository": {
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := kubeobject.NewCustom(ctx, "source.toolkit.fluxcd.io/v1", "GitRepository", "one", metadata, map[string]any{"interval": "1m"}, opts...)
				return err
			},
			func(ctx *pulumi.Context, opts ...pulumi.ResourceOption) error {
				_, err := apiextensions.NewCustomResource(ctx, "one", &apiextensions.CustomResourceArgs{
					ApiVersion: pulumi.String("source.toolkit.fluxcd.io/v1"), Kind: pulumi.String("GitRepository"), Metadata: theirs,
					OtherFields: kubernetes.UntypedArgs{"spec": map[string]any{"interval": "1m"}},
				}, opts...)
				return err
			},
		},
	} {
		t.Run(kind, func(t *testing.T) {
			resources := make([]*pulumitest.Resource, len(programs))
			for i, program := range programs {
				g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error { return program(ctx, pulumi.Protect(true)) }, pulumitest.Options{})
				require.Len(t, g.Resources, 1)
				resources[i] = g.Resources[0]
			}
			require.Equal(t, resources[1], resources[0])
			require.Equal(t, kind, resources[0].Get("kind"))
		})
	}
}

// The name is that of the object in the cluster, and what uses it comes later.
func TestName(t *testing.T) {
	g := pulumitest.RunBoth(t, func(ctx *pulumi.Context) error {
		namespace, err := kubeobject.NewNamespace(ctx, "one", kubeobject.Metadata{Name: pulumi.String("there")})
		if err != nil {
			return err
		}
		_, err = kubeobject.NewConfigMap(ctx, "two", kubeobject.Metadata{Name: pulumi.String("in-it"), Namespace: namespace.Name()}, data())
		return err
	}, pulumitest.Options{})
	configMap := g.Get(t, "kubernetes:core/v1:ConfigMap", "two")
	require.Equal(t, "there", configMap.Get("metadata.namespace"))
	require.True(t, g.DependsOn(configMap, g.Get(t, "kubernetes:core/v1:Namespace", "one")))
}
