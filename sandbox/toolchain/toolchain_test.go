package toolchain_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

// machine is a made-up machine: a checkout with pins, and programs that record
// how they are called.
type machine struct {
	t       *testing.T
	root    string // checkout
	path    string // folder of the machine's programs
	bin     string
	calls   string // file: one line per call
	events  []toolchain.Event
	eventMu sync.Mutex
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	dir := t.TempDir()
	m := &machine{t: t, root: filepath.Join(dir, "repo"), path: filepath.Join(dir, "usr", "bin"), bin: filepath.Join(dir, "it's a sandbox", "bin"), calls: filepath.Join(dir, "calls")}
	m.pin("etcd", "go.etcd.io/etcd/server/v3 v3.7.3")
	m.pin("pulumi", "github.com/pulumi/pulumi/pkg/v3 v3.259.0")
	m.pin("kubernetes", "k8s.io/kubernetes v1.36.3")
	m.pin("vault", "github.com/hashicorp/vault v1.21.1")
	m.source("main.go", "package main\n")
	m.source("without/okta/okta.go", "package okta\n")
	m.program("go", goProgram)
	m.program("node", "echo v20.20.2")
	m.program("npm", npmProgram)
	require.NoError(t, os.MkdirAll(m.bin, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(m.bin, "strongroom"), []byte("#!/bin/sh\nfor a in \"$@\"; do echo \"<$a>\"; done\n"), 0o700))
	return m
}

// goProgram builds programs that say what they were linked with.
const goProgram = `
[ "$1" = env ] && { printf 'go1.26.8\nlinux\namd64\n'; exit; }
for word in "$@"; do
  [ "$previous" = -o ] && out=$word
  [ "$previous" = -ldflags ] && flags=$word
  previous=$word
done
echo "build $(basename "$out") with $flags, CGO_ENABLED=$CGO_ENABLED" >> "$CALLS"
printf '#!/bin/sh\necho built from %s\n' "$previous" > "$out"
chmod +x "$out"`

const npmProgram = `
echo "npm $*" >> "$CALLS"
[ -s package-lock.json ] || exit 1
mkdir -p node_modules/@pulumi/eks/cmd/provider
echo component > node_modules/@pulumi/eks/cmd/provider/index.js`

func (m *machine) pin(module, require_ string) {
	dir := filepath.Join(m.root, "tools", module)
	require.NoError(m.t, os.MkdirAll(dir, 0o700))
	require.NoError(m.t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module tools\n\nrequire (\n\t"+require_+" // indirect\n)\n"), 0o600))
	require.NoError(m.t, os.WriteFile(filepath.Join(dir, "go.sum"), []byte("sums\n"), 0o600))
}

// source writes a Go file of the main of Vault that is ours.
func (m *machine) source(name, text string) {
	path := filepath.Join(m.root, "tools", "vault", filepath.FromSlash(name))
	require.NoError(m.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(m.t, os.WriteFile(path, []byte(text), 0o600))
}

// program gives the machine a program; the empty script takes it away.
func (m *machine) program(name, script string) {
	require.NoError(m.t, os.MkdirAll(m.path, 0o700))
	path := filepath.Join(m.path, name)
	if script == "" {
		require.NoError(m.t, os.Remove(path))
		return
	}
	text := "#!/bin/sh\nPATH=/usr/bin:/bin\nCALLS='" + m.calls + "'\n" + script + "\n"
	require.NoError(m.t, os.WriteFile(path, []byte(text), 0o700))
}

func (m *machine) ensure() error { return toolchain.Ensure(context.Background(), m.options()) }

func (m *machine) options() toolchain.Options {
	return toolchain.Options{
		RepoRoot: m.root, BinDir: m.bin, Path: m.bin + string(os.PathListSeparator) + m.path,
		Progress: func(e toolchain.Event) {
			m.eventMu.Lock()
			defer m.eventMu.Unlock()
			m.events = append(m.events, e)
		},
	}
}

// called returns what was run since the last time it was asked.
func (m *machine) called() string {
	data, err := os.ReadFile(m.calls)
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(m.t, err)
	require.NoError(m.t, os.Remove(m.calls))
	return string(data)
}

func TestBareMachine(t *testing.T) {
	m := newMachine(t)
	require.NoError(t, m.ensure())
	calls := m.called()
	for _, want := range []string{
		"build etcd with -s -w, CGO_ENABLED=0",
		"build pulumi with -s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.259.0, ",
		"build kube-apiserver with -s -w -X k8s.io/component-base/version.gitVersion=v1.36.3 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36 ",
		"build kube-controller-manager with ",
		"build kubectl with ",
		"build vault with -s -w, CGO_ENABLED=0",
		"npm ci --ignore-scripts ",
	} {
		require.Contains(t, calls, want)
	}
	last := m.events[len(m.events)-1]
	require.Equal(t, last.Total, last.Done, "%+v", last)

	for name, want := range map[string]string{
		"aws":                        "<sandbox>\n<aws>\n<one two>\n<it's>\n",
		"pulumi-resource-aws":        "<sandbox>\n<plugin>\n<aws>\n<one two>\n<it's>\n",
		"pulumi-resource-kubernetes": "<sandbox>\n<plugin>\n<kubernetes>\n<one two>\n<it's>\n",
		"pulumi-resource-tls":        "<sandbox>\n<plugin>\n<tls>\n<one two>\n<it's>\n",
		"pulumi-resource-vault":      "<sandbox>\n<plugin>\n<vault>\n<one two>\n<it's>\n",
		"kubectl":                    "built from k8s.io/kubernetes/cmd/kubectl\n",
	} {
		out, err := exec.Command(filepath.Join(m.bin, name), "one two", "it's").CombinedOutput()
		require.NoError(t, err, name)
		require.Equal(t, want, string(out), name)
	}
	eksScript, err := os.ReadFile(filepath.Join(m.bin, "pulumi-resource-eks"))
	require.NoError(t, err)
	require.Contains(t, string(eksScript), "/node_modules/@pulumi/eks/cmd/provider/index.js' \"$@\"")
}

func TestOnlyWhatChangedIsMadeAgain(t *testing.T) {
	m := newMachine(t)
	require.NoError(t, m.ensure())
	m.called()
	require.NoError(t, m.ensure())
	require.Empty(t, m.called(), "nothing has changed")

	for name, test := range map[string]struct {
		change func()
		want   []string
	}{
		"another version":                    {func() { m.pin("etcd", "go.etcd.io/etcd/server/v3 v3.7.4") }, []string{"build etcd"}},
		"a lost program":                     {func() { require.NoError(t, os.Remove(filepath.Join(m.bin, "pulumi"))) }, []string{"build pulumi"}},
		"another line in the main of Vault":  {func() { m.source("main.go", "package main // changed\n") }, []string{"build vault"}},
		"another line in what it is without": {func() { m.source("without/okta/okta.go", "package okta // changed\n") }, []string{"build vault"}},
		"a lost component": {func() { require.NoError(t, os.RemoveAll(filepath.Join(filepath.Dir(m.bin), "eks", "node_modules"))) },
			[]string{"npm ci"}},
		"another Go": {func() { m.program("go", strings.Replace(goProgram, "1.26.8", "1.26.9", 1)) },
			[]string{"build etcd", "build kube-apiserver", "build kube-controller-manager", "build kubectl", "build pulumi", "build vault"}},
		"another Node": {func() { m.program("node", "echo v22.1.0") }, []string{"npm ci"}},
	} {
		test.change()
		require.NoError(t, m.ensure(), name)
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(m.called()), "\n") {
			got = append(got, strings.Join(strings.Fields(line)[:2], " "))
		}
		require.ElementsMatch(t, test.want, got, name)
	}
}

func TestTheMachinesOwnProgramsArePreferred(t *testing.T) {
	for name, test := range map[string]struct {
		kubectl, aws string
		makeKubectl  bool
		makeAWS      bool
	}{
		"good ones":      {`echo '{"clientVersion":{"gitVersion":"v1.32.4-x"}}'`, "echo aws-cli/2.15.0 Python/3.11", false, false},
		"the old AWS 1":  {`echo '{"clientVersion":{"gitVersion":"v1.24.0"}}'`, "echo aws-cli/1.24.0 Python/3.8", false, false},
		"too old":        {`echo '{"clientVersion":{"gitVersion":"v1.23.9"}}'`, "echo aws-cli/2.6.9", true, true},
		"too old AWS 1":  {`echo '{"clientVersion":{"gitVersion":"v2.0.0"}}'`, "echo aws-cli/1.23.9", false, true},
		"broken":         {"exit 1", "echo not found >&2; exit 127", true, true},
		"not understood": {"echo hello", "echo hello", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			require.NoError(t, m.ensure(), "as on a machine without them")
			m.program("kubectl", test.kubectl)
			m.program("aws", test.aws)
			require.NoError(t, m.ensure())
			for program, want := range map[string]bool{"kubectl": test.makeKubectl, "aws": test.makeAWS} {
				_, err := os.Stat(filepath.Join(m.bin, program))
				require.Equal(t, want, err == nil, program)
			}
		})
	}
}

// The stand-in can be had on a machine with an AWS CLI, too.
func TestOwnAWS(t *testing.T) {
	m := newMachine(t)
	m.program("aws", "echo aws-cli/2.15.0 Python/3.11")
	o := m.options()
	o.OwnAWS = true
	require.NoError(t, toolchain.Ensure(context.Background(), o))
	require.FileExists(t, filepath.Join(m.bin, "aws"))
	require.NoError(t, m.ensure())
	require.NoFileExists(t, filepath.Join(m.bin, "aws"))
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		change func(m *machine)
		want   []string
	}{
		"no Go":         {func(m *machine) { m.program("go", "") }, []string{"no go on PATH", "https://go.dev/doc/install"}},
		"Go too old":    {func(m *machine) { m.program("go", `printf 'go1.24.1\nlinux\namd64\n'`) }, []string{"is go1.24.1", "Go 1.26 or newer"}},
		"no Node":       {func(m *machine) { m.program("node", "") }, []string{"no node on PATH", "https://nodejs.org"}},
		"Node too old":  {func(m *machine) { m.program("node", "echo v18.19.0") }, []string{"is v18.19.0, too old", "Node 20 or newer"}},
		"Node broken":   {func(m *machine) { m.program("node", "echo libnode.so: cannot open >&2; exit 127") }, []string{"node --version", "libnode.so: cannot open", "Node 20 or newer"}},
		"no npm":        {func(m *machine) { m.program("npm", "") }, []string{"no npm on PATH"}},
		"no checkout":   {func(m *machine) { require.NoError(m.t, os.RemoveAll(filepath.Join(m.root, "tools"))) }, []string{"is " /* root */, "a checkout of strongroom?"}},
		"no pin":        {func(m *machine) { m.pin("etcd", "something.else v1.0.0") }, []string{"etcd/go.mod", "no version of go.etcd.io/etcd/server/v3"}},
		"no strongroom": {func(m *machine) { require.NoError(m.t, os.Remove(filepath.Join(m.bin, "strongroom"))) }, []string{"`make build`"}},
		"not writable": {func(m *machine) {
			require.NoError(m.t, os.RemoveAll(filepath.Dir(m.bin)))
			require.NoError(m.t, os.WriteFile(filepath.Dir(m.bin), nil, 0o600)) // in the way, for root too
		}, []string{"the tools go to", "STRONGROOM_SANDBOX_DIR"}},
		"does not compile": {func(m *machine) { m.program("go", goEnv+"echo ./x.go:1: undefined: y; exit 1") }, []string{"exit status 1", "undefined: y"}},
		"disk full": {func(m *machine) { m.program("go", goEnv+"echo write /x: no space left on device >&2; exit 1") },
			[]string{"the disk is full", "go clean -cache", "/x: no space left"}},
		"only the end of the output": {func(m *machine) { m.program("go", goEnv+"seq 1 1000; exit 1") }, []string{"\n  ...\n  986\n", "1000"}},
		"npm fails":                  {func(m *machine) { m.program("npm", "echo npm error code ENOTFOUND; exit 1") }, []string{"install @pulumi/eks", "registry cannot be reached"}},
		"npm installs nothing":       {func(m *machine) { m.program("npm", "exit 0") }, []string{"the component is not there"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			test.change(m)
			err := m.ensure()
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

const goEnv = `[ "$1" = env ] && { printf 'go1.26.8\nlinux\namd64\n'; exit; }
`

func TestAFailureCanBeRepaired(t *testing.T) {
	m := newMachine(t)
	m.program("npm", "exit 1")
	require.Error(t, m.ensure())
	m.program("npm", npmProgram)
	require.NoError(t, m.ensure())
}

// A kill leaves staging folders, and a lock that the kernel has released.
func TestAfterAKill(t *testing.T) {
	m := newMachine(t)
	for _, dir := range []string{filepath.Join(m.bin, ".building-123"), filepath.Join(filepath.Dir(m.bin), "eks.new", "node_modules")} {
		require.NoError(t, os.MkdirAll(dir, 0o700))
	}
	require.NoError(t, os.WriteFile(filepath.Join(m.bin, ".lock"), nil, 0o600))
	require.NoError(t, m.ensure())
	require.NoDirExists(t, filepath.Join(m.bin, ".building-123"))
	require.NoDirExists(t, filepath.Join(filepath.Dir(m.bin), "eks.new"))
}

func TestTwoAtOnceBuildOnce(t *testing.T) {
	m := newMachine(t)
	errs := make([]error, 3)
	var running sync.WaitGroup
	for i := range errs {
		running.Go(func() { errs[i] = m.ensure() })
	}
	running.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	require.Equal(t, 1, strings.Count(m.called(), "build pulumi "))
}

func TestWaitingForTheLockCanBeCancelled(t *testing.T) {
	m := newMachine(t)
	file, err := os.Create(filepath.Join(m.bin, ".lock"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	require.NoError(t, syscall.Flock(int(file.Fd()), syscall.LOCK_EX))
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	err = toolchain.Ensure(ctx, toolchain.Options{RepoRoot: m.root, BinDir: m.bin, Path: m.path})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "another run")
}

// A Node that was not let finish is not one to be installed again.
func TestCancelEndsTheSearch(t *testing.T) {
	m := newMachine(t)
	asked := filepath.Join(t.TempDir(), "asked")
	m.program("node", fmt.Sprintf("> '%s'; exec sleep 600", asked))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() { result <- toolchain.Ensure(ctx, m.options()) }()
	require.Eventually(t, func() bool { _, err := os.Stat(asked); return err == nil }, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.Equal(t, context.Canceled, <-result)
}

// Cancelling ends the compiler and its children too.
func TestCancelEndsTheBuild(t *testing.T) {
	m := newMachine(t)
	started := filepath.Join(t.TempDir(), "started")
	m.program("go", goEnv+fmt.Sprintf("sleep 600 & echo $! > '%s.tmp' && mv '%s.tmp' '%s'; wait", started, started, started))
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error, 1)
	go func() {
		result <- toolchain.Ensure(ctx, toolchain.Options{RepoRoot: m.root, BinDir: m.bin, Path: m.path})
	}()
	require.Eventually(t, func() bool { _, err := os.Stat(started); return err == nil }, 20*time.Second, 5*time.Millisecond)
	cancel()
	require.ErrorIs(t, <-result, context.Canceled)
	data, err := os.ReadFile(started)
	require.NoError(t, err)
	var pid int
	_, err = fmt.Sscan(string(data), &pid)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		state, err := exec.Command("ps", "-o", "state=", "-p", fmt.Sprint(pid)).Output()
		return err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
	}, 10*time.Second, 20*time.Millisecond, "a child of the compiler goes on")
}

func TestFluxIsBuiltOnlyWhereAsked(t *testing.T) {
	m := newMachine(t)
	require.NoError(t, toolchain.Ensure(t.Context(), m.options()))
	require.NoFileExists(t, filepath.Join(m.bin, "source-controller"))

	options := m.options()
	options.Flux = true
	require.ErrorContains(t, toolchain.Ensure(t.Context(), options), "the pins of the CRDs")
}
