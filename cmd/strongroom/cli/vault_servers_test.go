package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/vaultops"
)

// Proves every command against three real servers, one Vault through its life. Not
// proven here: the way through a cluster's API, and what a cluster does with the
// volumes of a StatefulSet.
func TestVaultCommands(t *testing.T) {
	t.Parallel()
	f := newVaultFixture(t)
	f.beforeTheFirstStart()
	keys := f.init()
	f.keysAreLost(keys)
	f.provision(keys)
	f.refusesToReset()
	f.snapshots()
	f.generatesRoot()
	f.rotates(keys)
	f.restores()
	f.resets()
	f.restoresIntoNothing(keys)
}

func (f *vaultFixture) beforeTheFirstStart() {
	t := f.t
	require.Equal(t, exitOK, f.vault("", "status"), f.err.String())
	require.Contains(t, f.out.String(), "vault-2  not initialised")
	require.Contains(t, f.err.String(), "Vault is not initialised yet")
	require.Equal(t, exitFailure, f.vault("", "status", "--check", "--json"))
	var r vaultReport
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &r))
	require.False(t, r.OK)
	require.Len(t, r.Servers, 3)
	require.Equal(t, vaultops.Empty, r.Recovery.State)

	require.Equal(t, exitOK, f.vault("", "reset-empty"), f.err.String())
	require.Contains(t, f.out.String(), "nothing to reset")
	require.Equal(t, 1, f.storage.starts, "what an earlier reset may have left undone")
	f.store(vaultops.Secret{State: vaultops.Finished, Keys: []string{"a"}, Threshold: 1})
	require.Equal(t, exitFailure, f.vault("reset", "reset-empty"))
	require.Contains(t, f.err.String(), `the recovery secret says "finished" and holds 1 recovery keys, of a Vault that lost its storage`)
	f.store(vaultops.Secret{State: vaultops.Empty})
	require.Zero(t, f.storage.empties)
}

// keysAreLost is between steps 3 and 4 of the first start, and what speaks against it.
func (f *vaultFixture) keysAreLost(keys []string) {
	t := f.t
	require.Equal(t, exitOK, f.vault("", "status"))
	require.Contains(t, f.err.String(), "strongroom vault reset-empty")
	require.Equal(t, exitOK, f.vault("", "reset-empty", "--dry-run"), f.err.String())
	require.Contains(t, f.out.String(), "may be reset")

	// The keys were stored once: somebody has them.
	require.NoError(t, f.secret.awsSecret.Write(t.Context(), vaultops.Secret{State: vaultops.Stored, Keys: keys, Threshold: 3, RootToken: "x"}))
	require.Equal(t, exitFailure, f.vault("reset", "reset-empty"))
	require.Contains(t, f.err.String(), `the recovery secret says "stored" and holds 5 recovery keys`)
	require.NoError(t, f.secret.awsSecret.Write(t.Context(), vaultops.Secret{State: vaultops.Empty}))
	require.Equal(t, exitFailure, f.vault("reset", "reset-empty"))
	require.Contains(t, f.err.String(), "AWSPREVIOUS) says")
	require.NoError(t, f.secret.awsSecret.Write(t.Context(), vaultops.Secret{State: vaultops.Empty}))

	for _, mount := range []string{"provisioner", "approle"} {
		f.must(http.MethodPost, "sys/auth/"+mount, map[string]string{"type": "approle"})
		require.Equal(t, exitFailure, f.vault("reset", "reset-empty"))
		require.Contains(t, f.err.String(), "auth/"+mount+" is there")
		f.must(http.MethodDelete, "sys/auth/"+mount, nil)
	}
	f.storage.refuse = errFirstStartRuns
	require.Equal(t, exitFailure, f.vault("reset", "reset-empty"))
	require.Contains(t, f.err.String(), "may hold the recovery keys")
	f.storage.refuse = nil
	require.Equal(t, exitUsage, f.vault("", "reset-empty"), "nobody to ask")
	require.Equal(t, exitFailure, f.vault("yes", "reset-empty"), "another answer than the one that is asked for")
	require.Zero(t, f.storage.empties)
}

func (f *vaultFixture) refusesToReset() {
	t := f.t
	for _, args := range [][]string{{"reset-empty", "--yes"}, {"reset-empty", "--dry-run"}} {
		require.Equal(t, exitFailure, f.vault("", args...))
		require.Contains(t, f.err.String(), `nothing was done: the recovery secret says "finished" and holds 5 recovery keys`)
	}
	// And where somebody has emptied the secret by hand, what is in Vault speaks.
	kept := f.stored()
	f.store(vaultops.Secret{State: vaultops.Empty})
	require.Equal(t, exitFailure, f.vault("", "reset-empty", "--yes"))
	require.Contains(t, f.err.String(), "auth/provisioner is there")
	f.store(kept)
	require.Zero(t, f.storage.empties)
	f.put("kept")
}

func (f *vaultFixture) snapshots() {
	t := f.t
	require.Equal(t, exitOK, f.vault("", "status"))
	require.Contains(t, f.err.String(), "there is no snapshot yet")
	require.Equal(t, exitOK, f.vault("", "snapshot", "--json"), f.err.String())
	var taken takenSnapshot
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &taken))
	require.Regexp(t, `^s3://vault-snapshots/snapshots/\d{4}/\d\d/\d\d/\d{6}Z\.snap$`, taken.Place)
	require.ElementsMatch(t, []string{"vault-0", "vault-1", "vault-2"}, taken.Servers)
	require.Positive(t, taken.Index)

	require.Equal(t, exitOK, f.vault("", "status", "--check"), f.err.String())
	require.Empty(t, f.err.String())
	require.Contains(t, f.out.String(), "finished, 5 recovery keys, 3 needed")

	file := filepath.Join(f.dir, "kept.snap")
	require.Equal(t, exitOK, f.vault("", "snapshot", "--out", file), f.err.String())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, exitUsage, f.vault("", "snapshot", "--out", file))
	require.Contains(t, f.err.String(), "never written over")
	left, err := filepath.Glob(filepath.Join(f.dir, ".strongroom-*"))
	require.NoError(t, err)
	require.Empty(t, left)
}

// isRoot says whether a token is a root token, and revokes it.
func (f *vaultFixture) isRoot(token string) {
	f.t.Helper()
	active, err := f.ops.Active(f.t.Context())
	require.NoError(f.t, err)
	status, answer := f.apiAs(token, active, http.MethodGet, "auth/token/lookup-self", nil)
	require.Equal(f.t, http.StatusOK, status, answer)
	require.Equal(f.t, []any{"root"}, answer["data"].(map[string]any)["policies"])
	status, _ = f.apiAs(token, active, http.MethodPut, "auth/token/revoke-self", nil)
	require.Equal(f.t, http.StatusNoContent, status)
}

func (f *vaultFixture) generatesRoot() {
	t := f.t
	file := filepath.Join(f.dir, "root.token")
	require.Equal(t, exitUsage, f.vault("root", "generate-root"), "no terminal")
	require.Equal(t, exitFailure, f.vault("yes", "generate-root", "--out", file))
	require.NoFileExists(t, file)
	require.Equal(t, exitOK, f.vault("root", "generate-root", "--out", file), f.err.String())
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	token := strings.TrimSpace(string(text))
	require.NotContains(t, f.out.String()+f.err.String(), token)
	f.isRoot(token)
	require.Equal(t, exitFailure, f.vault("", "generate-root", "--yes", "--out", file))
	require.Contains(t, f.err.String(), "never written over")

	// With keys that a person types, to the terminal.
	f.live = true
	keys := f.stored().Keys
	f.typed = []string{keys[4], "", keys[0], keys[2]}
	require.Equal(t, exitFailure, f.vault("", "generate-root", "--yes", "--ask-keys"))
	require.Contains(t, f.err.String(), "3 recovery keys are needed, there are 1")
	f.typed = []string{keys[4], keys[0], keys[2], ""}
	require.Equal(t, exitOK, f.vault("", "generate-root", "--yes", "--ask-keys"), f.err.String())
	f.isRoot(strings.TrimSpace(f.out.String()))
	f.live = false

	// For the first start.
	f.storage.refuse = errFirstStartRuns
	require.Equal(t, exitFailure, f.vault("", "generate-root", "--yes", "--first-start"))
	require.Equal(t, vaultops.Finished, f.stored().State)
	f.storage.refuse = nil
	before := f.storage.starts
	require.Equal(t, exitOK, f.vault("", "generate-root", "--yes", "--first-start"), f.err.String())
	require.Equal(t, before+1, f.storage.starts)
	given := f.stored()
	require.Equal(t, vaultops.Stored, given.State)
	require.Equal(t, keys, given.Keys)
	require.NotContains(t, f.out.String()+f.err.String(), given.RootToken)
	f.isRoot(given.RootToken)
	require.Equal(t, exitFailure, f.vault("", "rotate-recovery", "--yes"), "the first start is at it")
	f.store(vaultops.Secret{State: vaultops.Finished, Keys: keys, Threshold: 3})
}

func (f *vaultFixture) rotates(old []string) {
	t := f.t
	// Killed before Vault counts the new keys, and after: the secret has those that
	// count both times.
	f.secret.writes, f.secret.failAt = 0, 1
	require.Equal(t, exitFailure, f.vault("yes", "rotate-recovery"))
	require.Contains(t, f.err.String(), "the old ones stay in force")
	require.Equal(t, old, f.stored().Keys)
	f.secret.writes, f.secret.failAt = 0, 2
	require.Equal(t, exitFailure, f.vault("yes", "rotate-recovery"))
	require.Contains(t, f.err.String(), "run this command again")
	require.Equal(t, old, f.stored().Keys)
	next := f.stored().NextKeys
	require.Len(t, next, 5)
	require.Equal(t, exitOK, f.vault("", "status"))
	require.Contains(t, f.err.String(), "a rotation of the recovery keys was interrupted")

	f.secret.failAt = 0
	require.Equal(t, exitOK, f.vault("yes", "rotate-recovery", "--shares", "4", "--threshold", "2"), f.err.String())
	made := f.stored()
	require.Len(t, made.Keys, 4)
	require.Equal(t, 2, made.Threshold)
	require.Equal(t, vaultops.Finished, made.State)
	require.Empty(t, made.NextKeys)
	said := f.out.String() + f.err.String()
	for _, key := range append(append(made.Keys, old...), next...) {
		require.NotContains(t, said, key)
	}
	for _, gone := range [][]string{old, next} {
		_, err := f.ops.GenerateRoot(t.Context(), "", gone)
		require.Error(t, err, "keys that are not in force any more")
	}
	root, err := f.ops.GenerateRoot(t.Context(), "", made.Keys)
	require.NoError(t, err)
	f.isRoot(root)
}

func (f *vaultFixture) restores() {
	t := f.t
	file := filepath.Join(f.dir, "rotated.snap")
	require.Equal(t, exitOK, f.vault("", "snapshot", "--out", file), f.err.String())
	f.put("lost")

	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	damaged := filepath.Join(f.dir, "damaged.snap")
	for want, data := range map[string][]byte{
		"ends too early": whole[:len(whole)-10],
		"gzip":           append([]byte("x"), whole...),
		"damaged.snap":   append(append([]byte{}, whole[:len(whole)/2]...), append([]byte{whole[len(whole)/2] ^ 1}, whole[len(whole)/2+1:]...)...),
	} {
		require.NoError(t, os.WriteFile(damaged, data, 0o600))
		require.Equal(t, exitFailure, f.vault("replace", "restore", damaged), want)
		require.Contains(t, f.err.String(), want)
		require.Contains(t, f.err.String(), "nothing was done")
	}
	require.Equal(t, exitOK, f.vault("", "restore", file, "--dry-run"), f.err.String())
	require.Contains(t, f.out.String(), "All of it is replaced. Lost is what was written since the snapshot")
	require.Equal(t, exitFailure, f.vault("yes", "restore", file), "another answer than the one that is asked for")
	require.Equal(t, exitUsage, f.vault("", "restore", file), "nobody to ask")
	require.True(t, f.has("lost"))

	require.Equal(t, exitOK, f.vault("replace", "restore", file), f.err.String())
	require.Contains(t, f.out.String(), "the provisioner can log in")
	require.True(t, f.has("kept"))
	require.False(t, f.has("lost"))
	root, err := f.ops.GenerateRoot(t.Context(), "", f.stored().Keys)
	require.NoError(t, err)
	f.isRoot(root)
}

// resets takes away all by which the command could tell that this Vault is in use.
func (f *vaultFixture) resets() {
	t := f.t
	kept := f.stored()
	f.store(vaultops.Secret{State: vaultops.Empty})
	f.must(http.MethodDelete, "sys/auth/provisioner", nil)
	before := f.storage.starts
	require.Equal(t, exitOK, f.vault("reset", "reset-empty"), f.err.String())
	require.Equal(t, 1, f.storage.empties)
	require.Equal(t, before+1, f.storage.starts)
	for _, s := range f.ops.Status(t.Context()) {
		require.Empty(t, s.Failure)
		require.False(t, s.Initialized, s.Address)
	}
	f.store(kept)
}

// restoresIntoNothing is for the day when all disks are lost.
func (f *vaultFixture) restoresIntoNothing(first []string) {
	t := f.t
	require.Equal(t, exitOK, f.vault("", "status"))
	require.Contains(t, f.err.String(), "the storage is lost; `strongroom vault restore newest`")
	kept := f.stored()
	require.Equal(t, exitOK, f.vault("", "restore", "newest", "--json", "--yes"), f.err.String())
	var l loss
	require.NoError(t, json.Unmarshal(f.out.Bytes(), &l))
	require.True(t, l.Restored)
	require.False(t, l.Replaces)
	require.True(t, f.has("kept"))
	require.NoError(t, f.secret.awsSecret.Write(t.Context(), vaultops.Secret{State: vaultops.Finished, Keys: first, Threshold: 3}))
	require.NoError(t, f.secret.awsSecret.Write(t.Context(), kept))
	// The newest in the bucket is older than the rotation: as with any restore to the
	// time before one, the version before of the secret has the keys.
	require.Equal(t, exitOK, f.vault("", "rotate-recovery", "--yes"), f.err.String())
	root, err := f.ops.GenerateRoot(t.Context(), "", f.stored().Keys)
	require.NoError(t, err)
	f.isRoot(root)
	t.Logf("all disks lost, the newest snapshot restored and read back: %.1f s", l.Seconds)
}
