package vault_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

// mortal is a program that stands before `vault` or `aws` in the scripts' PATH. It
// counts the calls that change something, and at one of them, before or after it,
// says so and waits to be killed with the whole pod.
const mortal = `#!/bin/sh
case "%[1]s $*" in
*put-secret-value*|*"operator init"*|*" enable "*|*" write "*|*" revoke "*)
  n=$(($(cat "$COUNT" 2>/dev/null || echo 0) + 1)); echo "$n" > "$COUNT"
  echo "$n %[1]s $1 $2" >> "$COUNT.calls"
  if [ "$KILL_WHEN$KILL_AT" = "before$n" ]; then : > "$COUNT.now"; exec sleep 600; fi
  %[2]s "$@"; code=$?
  if [ "$KILL_WHEN$KILL_AT" = "after$n" ]; then : > "$COUNT.now"; exec sleep 600; fi
  exit $code ;;
esac
exec %[2]s "$@"
`

// TestFirstStartKilled kills the first start before every call that changes
// something and after the last, and runs it again as the Job does. Each kill has a Vault and
// a recovery secret of its own; one server each, because the steps do not differ
// with their number. Where the keys were lost, it takes the runbook's command.
func TestFirstStartKilled(t *testing.T) {
	t.Parallel() // much of it is waiting
	shared := newPlatform(t)
	shared.startCluster()

	// One run without a kill says how many calls there are.
	whole := newMortal(t, shared)
	outcome, out := whole.run("", 0)
	require.Equal(t, vault.Finished, outcome, out)
	calls := whole.calls()
	t.Logf("calls that change something:\n%s", strings.Join(calls, "\n"))

	// To be killed before a call leaves the same behind as to be killed after the one
	// that came before it: nothing else outside of the pod changes in between. Both are
	// tried for every call with programs that play Vault and AWS, in tests/gitops.
	type point struct {
		when string
		at   int
	}
	points := make(chan point)
	go func() {
		defer close(points)
		points <- point{"before", 1}
		for at := range len(calls) {
			points <- point{"after", at + 1}
		}
	}()
	var mu sync.Mutex
	converged, reset := 0, 0
	const atOnce = 6
	var running sync.WaitGroup
	for range atOnce {
		running.Go(func() {
			for p := range points {
				t.Run(fmt.Sprintf("%s call %d", p.when, p.at), func(t *testing.T) {
					byItself := killedAt(t, shared, p.when, p.at)
					mu.Lock()
					defer mu.Unlock()
					if byItself {
						converged++
					} else {
						reset++
					}
				})
			}
		})
	}
	running.Wait()
	require.Equal(t, len(calls)+1, converged+reset)
	// After init and before the keys were stored: the one moment without a way back.
	require.Equal(t, 1, reset)
	t.Logf("%d kill points: %d converged by running again, %d after reset-empty", len(calls)+1, converged, reset)
}

// killedAt kills one first start, runs it again, and looks at what is there.
func killedAt(t *testing.T, shared *platform, when string, at int) (byItself bool) {
	name := when + " " + strconv.Itoa(at)
	m := newMortal(t, shared)
	defer func() { require.NoError(t, m.servers.Stop()) }()
	_, out := m.run(when, at)
	require.FileExists(t, m.count+".now", "%s: was not killed: %s", name, out)

	byItself = true
	outcome, out := m.run("", 0)
	if outcome == vault.NeedsPerson {
		byItself = false
		require.Contains(t, out, "reset-empty", name)
		require.NoError(t, m.ops().HoldsNothing(context.Background()), name)
		require.NoError(t, m.servers.Wipe(context.Background()))
		outcome, out = m.run("", 0)
	}
	require.Equal(t, vault.Finished, outcome, "%s: %s", name, out)
	require.Error(t, m.ops().HoldsNothing(context.Background()), "%s: a Vault in use", name)

	document, text, err := m.recovery("AWSCURRENT")
	require.NoError(t, err, name)
	require.Equal(t, "finished", document["state"], name)
	require.NotContains(t, document, "root_token", name)
	_, previous, err := m.recovery("AWSPREVIOUS")
	require.NoError(t, err, name)
	for _, kept := range []string{text, previous, out} {
		require.NotContains(t, kept, "hvs.", name)
	}
	m.keysWork(t, name, document)
	m.login()
	return byItself
}

// keysWork proves that the stored recovery keys are this Vault's: they make a
// root token, which is revoked again.
func (m *mortalPlatform) keysWork(t *testing.T, name string, document map[string]any) {
	t.Helper()
	var keys []string
	for _, key := range document["recovery_keys_b64"].([]any) {
		keys = append(keys, key.(string))
	}
	root, err := m.ops().GenerateRoot(context.Background(), "", keys)
	require.NoError(t, err, name)
	devices, err := m.vaultCLI(root, 0, "audit", "list")
	require.NoError(t, err, devices)
	require.Contains(t, devices, `"file/"`, name)
	require.Contains(t, devices, `"stdout/"`, name)
	out, err := m.vaultCLI(root, 0, "token", "revoke", "-self")
	require.NoError(t, err, out)
}

type mortalPlatform struct {
	*platform
	count string
}

// newMortal is a Vault with one server, in the cluster of another platform.
func newMortal(t *testing.T, shared *platform) *mortalPlatform {
	t.Helper()
	p := newPlatform(t)
	p.cluster, p.endpoint = shared.cluster, shared.endpoint
	p.clusterCA, p.reviewer, p.provisioner = shared.clusterCA, shared.reviewer, shared.provisioner
	p.replicas = 1
	p.lean = []string{"GOMAXPROCS=1", "GOGC=400"}
	p.startServers()
	m := &mortalPlatform{platform: p, count: filepath.Join(p.dir, "count")}
	p.firstStart(nil) // makes the programs
	for _, name := range []string{"vault", "aws"} {
		path := filepath.Join(p.wrapper, name)
		require.NoError(t, os.Rename(path, path+".real"))
		require.NoError(t, os.WriteFile(path, []byte(fmt.Sprintf(mortal, name, "'"+path+".real'")), 0o700))
	}
	return m
}

// run runs one pod of the Job, which is killed at a call.
func (m *mortalPlatform) run(when string, at int) (vault.Outcome, string) {
	m.t.Helper()
	require.NoError(m.t, os.WriteFile(m.count, []byte("0\n"), 0o600))
	require.NoError(m.t, os.RemoveAll(m.count+".now"))
	out := &bytes.Buffer{}
	ctx, kill := context.WithCancel(context.Background())
	defer kill()
	if at > 0 {
		go func() {
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					if _, err := os.Stat(m.count + ".now"); err == nil {
						kill()
						return
					}
				}
			}
		}()
	}
	outcome, err := m.firstStart(out, "COUNT="+m.count, "KILL_WHEN="+when, "KILL_AT="+strconv.Itoa(at)).Pod(ctx)
	require.NoError(m.t, err)
	return outcome, out.String()
}

func (m *mortalPlatform) calls() []string {
	data, err := os.ReadFile(m.count + ".calls")
	require.NoError(m.t, err)
	return strings.Split(strings.TrimSpace(string(data)), "\n")
}
