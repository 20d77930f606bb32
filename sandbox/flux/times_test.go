package flux

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/internal/fluxstatus"
)

// What became ready when is known after the daemon was started again, and forgotten
// when Flux is gone.
func TestTimesOutliveTheDaemon(t *testing.T) {
	file := filepath.Join(t.TempDir(), "times.json")
	first := &times{file: file}
	require.NoError(t, first.load())
	seen, ready := first.note("a", false)
	require.True(t, ready.IsZero())
	_, ready = first.note("a", true)
	require.False(t, ready.Before(seen))
	_, again := first.note("a", false)
	require.Equal(t, ready, again, "the first time counts")
	require.NoError(t, first.problem())

	second := &times{file: file}
	require.NoError(t, second.load())
	require.True(t, second.since().Equal(first.since()))
	seenThen, readyThen := second.note("a", true)
	require.True(t, seenThen.Equal(seen))
	require.True(t, readyThen.Equal(ready))

	require.NoError(t, second.forget())
	require.NoFileExists(t, file)
	require.NoError(t, second.forget())
	require.NoError(t, second.load())
	_, anew := second.note("a", true)
	require.True(t, anew.After(ready))

	require.NoError(t, os.WriteFile(file, []byte("{"), 0o600))
	require.ErrorContains(t, (&times{file: file}).load(), file)
}

func TestUnready(t *testing.T) {
	root := Object{Kind: fluxstatus.Kustomization, Namespace: Namespace, Name: rootName, Ready: true, Revision: "main@sha1:a"}
	source := Object{Kind: fluxstatus.GitRepository, Namespace: Namespace, Name: rootName, Ready: true, Revision: "main@sha1:a"}
	apps := Object{Kind: fluxstatus.Kustomization, Namespace: Namespace, Name: "apps", Ready: true, Revision: "main@sha1:a"}
	names := func(revision string, objects ...Object) []string {
		var left []string
		for _, o := range (Status{Objects: objects}).Unready(revision) {
			left = append(left, o.Name)
		}
		return left
	}
	require.Equal(t, []string{rootName}, names("main@sha1:a"), "nothing is there yet")
	require.Equal(t, []string{rootName}, names("main@sha1:a", apps))
	require.Empty(t, names("main@sha1:a", root, source, apps))
	require.Equal(t, []string{rootName, "apps"}, names("main@sha1:b", root, source, apps), "ready with another tree")
	source.Suspended = true
	require.Empty(t, names("main@sha1:b", root, source, apps), "a person has suspended the source")
	apps.Ready, apps.Suspended = false, true
	require.Empty(t, names("main@sha1:a", root, source, apps))
}
