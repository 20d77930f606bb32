package tree

import "fmt"

// pulumis are the objects that Pulumi makes, which nothing here may touch: see
// components/fluxbootstrap, and vaultha for the namespace and the Secrets of Vault.
var pulumis = map[string]bool{
	"Namespace flux-system": true, "Namespace vault": true,
	"GitRepository flux-system/flux-system": true, "Kustomization flux-system/flux-system": true,
	"ConfigMap flux-system/strongroom-runtime-info": true, "Secret flux-system/strongroom-runtime-secrets": true,
	"Secret flux-system/flux-system": true, "Secret flux-system/flux-image-automation": true,
	"Secret vault/vault-helm-values": true, "Secret vault/vault-tls": true,
}

// owners holds that every object has one owner: two that apply the same object undo each
// other for ever.
func owners(c *cluster) []error {
	var problems []error
	owner := map[string]string{}
	for _, name := range c.names() {
		for _, o := range c.units[name].objects {
			key := o.group() + "/" + o.String()
			switch other, taken := owner[key]; {
			case pulumis[o.String()]:
				problems = append(problems, fmt.Errorf("Kustomization %s: %s: is Pulumi's: remove it here", name, o))
			case taken:
				problems = append(problems, fmt.Errorf("Kustomization %s: %s: is also made by Kustomization %s: remove one", name, o, other))
			default:
				owner[key] = name
			}
		}
	}
	return problems
}
