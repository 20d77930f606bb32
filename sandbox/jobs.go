package sandbox

import (
	"slices"

	"github.com/strongroom-platform/strongroom/sandbox/vaulthost"
)

// vaultInitJob is the Job whose scripts are run for real.
const vaultInitJob = "vault/vault-init"

// jobDone says whether a Job that Flux made may be marked complete. Nothing runs
// Jobs here, so each is at once, except that the one of Vault's first start is when
// its scripts, which the daemon runs, have finished.
func (d *daemon) jobDone(cluster, namespace, name string) bool {
	if namespace+"/"+name != vaultInitJob || d.sandbox.NoVault {
		return true
	}
	return slices.ContainsFunc(d.vaults.Status(), func(v vaulthost.Status) bool {
		return v.Cluster == cluster && v.FirstStart == vaulthost.Finished
	})
}
