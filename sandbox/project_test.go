package sandbox

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func checkout(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, name), text)
	}
	return dir
}

func copyOf(t *testing.T, s *Sandbox, name string) map[string]any {
	t.Helper()
	content, found, err := readStack(filepath.Join(s.ProjectDir(), name))
	require.NoError(t, err)
	require.True(t, found, name)
	return content
}

func TestProjectFollowsTheCheckoutAndKeepsWhatTheEngineWrote(t *testing.T) {
	s := fresh(t)
	repo := checkout(t, map[string]string{
		"Pulumi.yaml":         "name: strongroom\n",
		"Pulumi.tooling.yaml": "config:\n  strongroom:region: eu-west-1\n  strongroom:protect: true\n",
	})
	require.NoError(t, s.PrepareProject(repo))
	config, err := section(copyOf(t, s, "Pulumi.tooling.yaml"), "")
	require.NoError(t, err)
	require.Equal(t, map[string]any{"strongroom:region": "eu-west-1", "strongroom:protect": false}, config, "nothing is protected in the sandbox")

	// The engine makes the stack, and a person sets a secret.
	write(t, filepath.Join(s.ProjectDir(), "Pulumi.tooling.yaml"),
		"encryptionsalt: v1:salt\nconfig:\n  strongroom:region: eu-west-1\n  strongroom:token:\n    secure: v1:abc\n  strongroom:old: gone\n")
	write(t, filepath.Join(repo, "Pulumi.tooling.yaml"), "config:\n  strongroom:region: eu-central-1\n")
	require.NoError(t, s.PrepareProject(repo))
	copied := copyOf(t, s, "Pulumi.tooling.yaml")
	require.Equal(t, "v1:salt", copied["encryptionsalt"], "without the salt the stack's secrets are lost")
	config, err = section(copied, "")
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"strongroom:region": "eu-central-1", "strongroom:protect": false, "strongroom:token": map[string]any{"secure": "v1:abc"},
	}, config)
}

func TestProjectHandsItsTreeToFlux(t *testing.T) {
	s := fresh(t)
	repo := checkout(t, map[string]string{
		"Pulumi.yaml":                       "name: strongroom\n",
		"Pulumi.tooling.yaml":               "config:\n  strongroom:flux:\n    url: ssh://git@example.com/r.git\n    path: gitops/clusters/mine\n",
		"gitops/clusters/mine/release.yaml": "",
	})
	flux := func() any {
		require.NoError(t, s.PrepareProject(repo))
		config, err := section(copyOf(t, s, "Pulumi.tooling.yaml"), "")
		require.NoError(t, err)
		return config["strongroom:flux"]
	}
	require.Contains(t, flux(), "url", "no daemon serves the tree yet: what the checkout says stays")
	require.NoError(t, os.MkdirAll(s.path("flux"), 0o700))
	require.NoError(t, s.saveRemote(remote{URL: "ssh://git@127.0.0.1:2222/strongroom.git", KnownHosts: "[127.0.0.1]:2222 ssh-ed25519 AAAA"}))
	require.Equal(t, map[string]any{
		"url": "ssh://git@127.0.0.1:2222/strongroom.git", "knownHosts": "[127.0.0.1]:2222 ssh-ed25519 AAAA", "branch": "main",
		"charts": s.operatorCharts(), "path": "gitops/clusters/mine",
	}, flux())
	served, err := s.checkout()
	require.NoError(t, err)
	require.Equal(t, repo, served)

	require.NoError(t, os.RemoveAll(filepath.Join(repo, "gitops")))
	require.Equal(t, map[string]any{"url": "ssh://git@example.com/r.git", "path": "gitops/clusters/mine"}, flux(), "a checkout without a tree hands none over")
}

func TestProjectDropsAStackThatWasNeverMade(t *testing.T) {
	s := fresh(t)
	repo := checkout(t, map[string]string{"Pulumi.yaml": "name: strongroom\n", "Pulumi.tooling-a.yaml": "config: {}\n", "Pulumi.tooling-b.yaml": "config: {}\n"})
	require.NoError(t, s.PrepareProject(repo))
	write(t, filepath.Join(s.ProjectDir(), "Pulumi.tooling-b.yaml"), "encryptionsalt: v1:salt\n")
	for _, name := range []string{"Pulumi.tooling-a.yaml", "Pulumi.tooling-b.yaml"} {
		require.NoError(t, os.Remove(filepath.Join(repo, name)))
	}
	require.NoError(t, s.PrepareProject(repo))
	_, err := os.Stat(filepath.Join(s.ProjectDir(), "Pulumi.tooling-a.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
	copyOf(t, s, "Pulumi.tooling-b.yaml") // needed to destroy it
}

func TestProjectOfNoCheckout(t *testing.T) {
	require.ErrorContains(t, fresh(t).PrepareProject(t.TempDir()), "a checkout of strongroom?")
}

func TestFindRepo(t *testing.T) {
	repo := checkout(t, map[string]string{"go.mod": "module github.com/strongroom-platform/strongroom\n", "a/b/c": ""})
	found, err := FindRepo(filepath.Join(repo, "a", "b"))
	require.NoError(t, err)
	require.Equal(t, repo, found)
	_, err = FindRepo(t.TempDir())
	require.ErrorContains(t, err, "no checkout of strongroom")
}

func TestProjectDeclaresWhatIsVerified(t *testing.T) {
	s := fresh(t)
	repo := checkout(t, map[string]string{
		"Pulumi.yaml":             "name: strongroom\n",
		"Pulumi.tooling.yaml":     "config:\n  strongroom:vault:\n    replicas: 5\n",
		"Pulumi.application.yaml": "config: {}\n",
	})
	vault := func(stack string) any {
		require.NoError(t, s.PrepareProject(repo))
		config, err := section(copyOf(t, s, "Pulumi."+stack+".yaml"), "")
		require.NoError(t, err)
		return config["strongroom:vault"]
	}
	require.Equal(t, map[string]any{"replicas": 5.0}, vault("tooling"), "the daemon runs no Vault: what the checkout says stays")
	require.Nil(t, vault("application"))

	require.NoError(t, os.MkdirAll(s.path("run"), 0o700))
	write(t, s.surroundingsFile(), `{"sts":"http://127.0.0.1:1","gitlabKey":"public","database":"127.0.0.1:32701","tunnelPort":18300}`)
	tooling, ok := vault("tooling").(map[string]any)
	require.True(t, ok)
	require.Equal(t, 5.0, tooling["replicas"])
	require.Len(t, tooling["workloads"], 4)
	require.Contains(t, vault("application"), "workloads")

	write(t, filepath.Join(repo, "Pulumi.tooling.yaml"), "config:\n  strongroom:vault: none\n")
	require.ErrorContains(t, s.PrepareProject(repo), "config strongroom:vault in")
}

// The key of the simulated GitLab is made once, for its owner's eyes.
func TestGitLabKey(t *testing.T) {
	s := fresh(t)
	first, err := s.gitlabKey()
	require.NoError(t, err)
	again, err := s.gitlabKey()
	require.NoError(t, err)
	// Equal of the key, not of its fields: a precomputed value that starts with
	// a zero byte is a byte shorter when it was read (one key in a hundred).
	require.True(t, first.Equal(again), "the second call made another key")
	info, err := os.Stat(s.path("gitlab", "key.pem"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	write(t, s.path("gitlab", "key.pem"), "x")
	_, err = s.gitlabKey()
	require.ErrorContains(t, err, "remove it")
}
