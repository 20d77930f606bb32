package gitops_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const initFolder = root + "/gitops/infrastructure/configs/vault-init"

// peers of the fake Vault.
var peers = []string{"https://vault-0:8200", "https://vault-1:8200", "https://vault-2:8200"}

// machine is the place of one Vault's first start: its fakes, and what outlives pods.
type machine struct {
	t      *testing.T
	folder string
	shell  []string
	output string
}

func newMachine(t *testing.T, shell []string, w world) *machine {
	t.Helper()
	m := &machine{t: t, folder: t.TempDir(), shell: shell}
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Mkdir(filepath.Join(m.folder, "bin"), 0o700))
	for _, name := range []string{"vault", "aws"} {
		require.NoError(t, os.Symlink(self, filepath.Join(m.folder, "bin", name)))
	}
	require.NoError(t, os.WriteFile(filepath.Join(m.folder, "token"), []byte(fakeJWT), 0o600))
	m.save(w)
	return m
}

func (m *machine) save(w world) {
	m.t.Helper()
	text, err := json.Marshal(w)
	require.NoError(m.t, err)
	require.NoError(m.t, os.WriteFile(filepath.Join(m.folder, "world"), text, 0o600))
}

func (m *machine) world() world {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.folder, "world"))
	require.NoError(m.t, err)
	var w world
	require.NoError(m.t, json.Unmarshal(text, &w))
	return w
}

// pod runs both scripts as the Job's pod does: side by side, with memory of their own
// that is gone with them. It returns the exit code of init.sh, or -1 if it was killed.
func (m *machine) pod(kill string) int {
	m.t.Helper()
	handover, err := os.MkdirTemp(m.folder, "handover")
	require.NoError(m.t, err)
	defer os.RemoveAll(handover)
	environment := []string{
		"PATH=" + filepath.Join(m.folder, "bin") + ":" + os.Getenv("PATH"),
		"FAKE_WORLD=" + filepath.Join(m.folder, "world"), "FAKE_KILL=" + kill,
		"HANDOVER=" + handover, "RECOVERY_SECRET_ID=strongroom/recovery", "AWS_REGION=eu-west-1",
		"VAULT_PEERS=" + strings.Join(peers, " "), "VAULT_CACERT=/dev/null",
		"PROVISIONER_TOKEN_FILE=" + filepath.Join(m.folder, "token"),
		"PROVISIONER_NAMESPACE=vault", "PROVISIONER_SERVICE_ACCOUNT=vault-provisioner", "PROVISIONER_AUDIENCE=vault",
		"PROVISIONER_POLICY_FILE=" + filepath.Join(initFolder, "provisioner.hcl"),
		"SNAPSHOT_SERVICE_ACCOUNT=vault-snapshot", "SNAPSHOT_POLICY_FILE=" + filepath.Join(initFolder, "snapshot.hcl"),
		"AUDIT_FILE=/vault/audit/audit.log", "WAIT_SECONDS=20",
		// Would be a mistake to use.
		"VAULT_TOKEN=of-somebody-else",
	}
	run := func(script string, group int, out *bytes.Buffer) *exec.Cmd {
		cmd := exec.Command(m.shell[0], append(m.shell[1:], filepath.Join(initFolder, script))...)
		cmd.Env = environment
		cmd.Stdout, cmd.Stderr = out, out
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
		return cmd
	}
	// The kill of a pod is the kill of its process group.
	var log, storeLog bytes.Buffer
	first := run("init.sh", 0, &log)
	require.NoError(m.t, first.Start())
	store := run("store.sh", first.Process.Pid, &storeLog)
	if err := store.Start(); err != nil {
		_ = first.Process.Kill()
		require.NoError(m.t, err)
	}
	_ = first.Wait()
	_ = store.Process.Signal(syscall.SIGTERM)
	_ = store.Wait()
	m.output = log.String() + storeLog.String()
	return first.ProcessState.ExitCode()
}

// shells are those of the images, as far as they are installed: busybox's in Vault's,
// bash in the AWS CLI's; dash is the strictest.
func shells() map[string][]string {
	found := map[string][]string{}
	for name, command := range map[string][]string{
		"busybox": {"busybox", "sh"}, "bash": {"bash", "--posix"}, "dash": {"dash"}, "sh": {"sh"},
	} {
		if _, err := exec.LookPath(command[0]); err == nil {
			found[name] = command
		}
	}
	return found
}

// finished checks a Vault whose first start is over.
func (m *machine) finished() {
	m.t.Helper()
	w := m.world()
	require.Equal(m.t, 1, w.Inits)
	require.True(m.t, w.RootRevoked)
	require.ElementsMatch(m.t, []string{"file/", "stdout/"}, w.Audit)
	require.Equal(m.t, []string{"provisioner/"}, w.Mounts)
	require.Contains(m.t, w.Policies["provisioner"], "sys/auth/*")
	require.Contains(m.t, w.Policies["snapshot"], "sys/storage/raft/snapshot")
	require.Contains(m.t, w.Snapshot, "bound_service_account_names=vault-snapshot")
	require.Contains(m.t, w.Role, "bound_service_account_names=vault-provisioner")
	require.Contains(m.t, w.Role, "audience=vault")

	var secret struct {
		State     string   `json:"state"`
		Keys      []string `json:"recovery_keys_b64"`
		Threshold int      `json:"recovery_keys_threshold"`
	}
	require.NoError(m.t, json.Unmarshal([]byte(w.Versions[w.Labels["AWSCURRENT"]]), &secret))
	require.Equal(m.t, "finished", secret.State)
	require.Equal(m.t, fakeKeys, secret.Keys)
	require.Equal(m.t, 3, secret.Threshold)
	for label, version := range w.Labels {
		require.NotContains(m.t, w.Versions[version], fakeRoot, "version with label %s", label)
	}
	m.silent()
}

// silent checks that no secret was printed, given as an argument, or left in a file.
func (m *machine) silent() {
	m.t.Helper()
	w := m.world()
	for _, secret := range append([]string{fakeRoot, fakeLogin, fakeJWT}, fakeKeys...) {
		require.NotContains(m.t, m.output, secret)
		require.NotContains(m.t, strings.Join(w.Calls, "\n"), secret)
	}
	left, err := filepath.Glob(filepath.Join(m.folder, "handover*"))
	require.NoError(m.t, err)
	require.Empty(m.t, left)
}

// The scripts run in each shell there is; the second run finds nothing to do.
func TestFirstStart(t *testing.T) {
	for name, shell := range shells() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, shell, world{})
			require.Equal(t, 0, m.pod(""), m.output)
			for step := 1; step <= 7; step++ {
				require.Contains(t, m.output, fmt.Sprintf("step %d: ", step))
			}
			m.finished()

			first := m.world()
			require.Equal(t, 0, m.pod(""), m.output)
			require.Contains(t, m.output, "step 1: yes, nothing to do")
			after := m.world()
			require.Equal(t, first.sideEffects(), after.sideEffects())
		})
	}
}

// Killed before and after each side effect, one run more converges; only between init
// and the storing of the keys a person has to empty the storage, in which nothing is.
func TestFirstStartKilledAnywhere(t *testing.T) {
	whole := newMachine(t, []string{"sh"}, world{})
	require.Equal(t, 0, whole.pod(""), whole.output)
	done := whole.world()
	points := done.sideEffects()
	require.Greater(t, points, 10)

	var converged, lost atomic.Int32
	t.Run("points", func(t *testing.T) {
		for point := range points {
			for _, when := range []string{"before", "after"} {
				t.Run(fmt.Sprintf("%s %d", when, point), func(t *testing.T) {
					t.Parallel()
					m := newMachine(t, []string{"sh"}, world{})
					require.Equal(t, -1, m.pod(fmt.Sprintf("%d %s", point, when)), m.output)
					m.silent()
					if w := m.world(); w.Initialised && !strings.Contains(w.Versions[w.Labels["AWSCURRENT"]], fakeKeys[0]) {
						lost.Add(1)
						require.Equal(t, 3, m.pod(""), m.output)
						require.Contains(t, m.output, "reset-empty")
						require.Empty(t, m.world().Audit, "nothing was put into Vault")
						// What the runbook command does.
						m.save(world{Versions: w.Versions, Labels: w.Labels})
					}
					require.Equal(t, 0, m.pod(""), m.output)
					m.finished()
					converged.Add(1)
				})
			}
		}
	})
	t.Logf("%d kill points, %d converged, %d of them after reset-empty", 2*points, converged.Load(), lost.Load())
	require.EqualValues(t, 2*points, converged.Load())
	require.EqualValues(t, 2, lost.Load(), "after init, and before its keys are stored")
}

// The fakes of this test do what a person, a disk or AWS may have done.
func TestFirstStartIsRefused(t *testing.T) {
	stored := `{"state":"stored","recovery_keys_b64":["a2V5LW9uZQ=="],"recovery_keys_threshold":3,"root_token":"` + fakeRoot + `"}`
	current := map[string]int{"AWSCURRENT": 0}
	for name, test := range map[string]struct {
		world world
		code  int
		want  string
	}{
		"secret cannot be written": {
			world{Refuse: map[string]int{"put-secret-value": 99}}, 1, "recovery secret, probe",
		},
		"secret cannot be read": {
			world{Refuse: map[string]int{"get-secret-value": 99}}, 1, "recovery secret, get",
		},
		"another server is initialised": {
			world{Joined: peers[2:]}, 3, "would make a second Vault",
		},
		"the first server lost its disk": {
			world{Initialised: true, Lost: peers[:1], Versions: []string{stored}, Labels: current}, 3, "lost its storage",
		},
		"storage wiped after it was finished": {
			world{Versions: []string{strings.Replace(stored, "stored", "finished", 1)}, Labels: current}, 3, "restore a snapshot",
		},
		"root token revoked by somebody": {
			world{Initialised: true, RootRevoked: true, Versions: []string{stored}, Labels: current}, 3, "generate-root",
		},
		"unknown state": {
			world{Versions: []string{`{"state":"odd"}`}, Labels: current}, 3, `unknown state "odd"`,
		},
		"keys missing": {
			world{Initialised: true, Versions: []string{`{"state":"finished"}`}, Labels: current}, 3, "holds no recovery keys",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t, []string{"sh"}, test.world)
			require.Equal(t, test.code, m.pod(""), m.output)
			require.Contains(t, m.output, test.want)
			require.Zero(t, m.world().Inits, "nothing irreversible was done")
			m.silent()
		})
	}
}

// Secrets Manager that fails at the worst moment: the keys are held until it works.
func TestKeysAreStoredInTheEnd(t *testing.T) {
	t.Parallel()
	m := newMachine(t, []string{"sh"}, world{Refuse: map[string]int{"--version-stages AWSCURRENT": 1}})
	require.Equal(t, 0, m.pod(""), m.output)
	require.Contains(t, m.output, "NOT stored yet")
	m.finished()
}

// A root token made later, to change what only root may: the Job does its last steps again.
func TestFirstStartAfterGenerateRoot(t *testing.T) {
	t.Parallel()
	m := newMachine(t, []string{"sh"}, world{})
	require.Equal(t, 0, m.pod(""), m.output)
	w := m.world()
	w.RootRevoked, w.Policies = false, map[string]string{"provisioner": "an old one"}
	w.Versions = append(w.Versions, `{
  "recovery_keys_b64": ["`+strings.Join(fakeKeys, `", "`)+`"],
  "recovery_keys_threshold": 3,
  "root_token": "`+fakeRoot+`",
  "state": "stored"
}`)
	w.Labels["AWSPREVIOUS"], w.Labels["AWSCURRENT"] = w.Labels["AWSCURRENT"], len(w.Versions)-1
	m.save(w)
	require.Equal(t, 0, m.pod(""), m.output)
	m.finished()
}
