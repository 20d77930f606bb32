package fluxbootstrap

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/internal/kubeobject"
	"github.com/strongroom-platform/strongroom/internal/runtimeinfo"
)

// runtimeInfo hands the tree what only Pulumi knows. A value that is only known later
// is checked when it is.
func (b *builder) runtimeInfo() ([]pulumi.Resource, error) {
	plain, secret := pulumi.StringMap{}, pulumi.StringMap{}
	for _, key := range runtimeinfo.For(b.args.Cluster) {
		value := b.args.RuntimeInfo[key.Name].ToStringOutput().ApplyT(func(v string) (string, error) {
			return v, runtimeinfo.CheckValue(key.Name, v)
		}).(pulumi.StringOutput)
		if key.Secret {
			secret[key.Name] = pulumi.ToSecret(value).(pulumi.StringOutput)
		} else {
			plain[key.Name] = value
		}
	}
	info, err := kubeobject.NewConfigMap(b.ctx, b.name+"-runtime-info", b.metadata(runtimeinfo.ConfigMap), plain, b.child()...)
	if err != nil {
		return nil, fmt.Errorf("runtime info: %w", err)
	}
	if len(secret) == 0 {
		return []pulumi.Resource{info}, nil
	}
	secrets, err := kubeobject.NewSecret(b.ctx, b.name+"-runtime-secrets", kubeobject.Opaque, b.metadata(runtimeinfo.Secret), secret, b.child()...)
	if err != nil {
		return nil, fmt.Errorf("runtime secrets: %w", err)
	}
	return []pulumi.Resource{info, secrets}, nil
}
