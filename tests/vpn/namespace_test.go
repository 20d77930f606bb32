package vpn

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// namespace is a machine of its own: its network, and its view of /etc/resolv.conf.
// It lives as long as a process in it whose input is a pipe from here, so that
// nothing is left even of a test that is killed.
type namespace struct {
	t   *testing.T
	pid int
	// resolvConf is what its programs see at /etc/resolv.conf.
	resolvConf string
}

// requireNamespaces skips where the machine does not let a test make namespaces
// and tunnels; in CI that is a failure.
func requireNamespaces(t *testing.T) {
	t.Helper()
	missing := func() string {
		for _, program := range []string{"openvpn", "ip", "nsenter", "mount", "sysctl"} {
			if _, err := exec.LookPath(program); err != nil {
				return program + " is not installed: `make packages` installs it as root (Debian packages openvpn, iproute2, util-linux, mount, procps)"
			}
		}
		tun, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
		if err != nil {
			return "tunnels are not permitted here: " + err.Error() + "; run the test as root, in a container with --device /dev/net/tun"
		}
		if err := tun.Close(); err != nil {
			return err.Error()
		}
		probe := exec.Command("true")
		probe.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
		if err := probe.Run(); err != nil {
			return "network namespaces are not permitted here: " + err.Error() + "; run the test as root, in a container with --privileged"
		}
		return ""
	}()
	if missing == "" {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func newNamespace(t *testing.T, resolver string) *namespace {
	t.Helper()
	holder := exec.Command("cat")
	holder.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS}
	in, err := holder.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, holder.Start())
	n := &namespace{t: t, pid: holder.Process.Pid, resolvConf: filepath.Join(t.TempDir(), "resolv.conf")}
	t.Cleanup(func() {
		require.NoError(t, in.Close())
		require.NoError(t, holder.Wait())
	})
	n.resolver(resolver)
	n.run("mount", "--bind", n.resolvConf, "/etc/resolv.conf")
	n.run("ip", "link", "set", "lo", "up")
	return n
}

// resolver puts the resolver back that it has without a VPN.
func (n *namespace) resolver(address string) {
	n.t.Helper()
	// In place: a file that is mounted elsewhere is not replaced.
	require.NoError(n.t, os.WriteFile(n.resolvConf, []byte("nameserver "+address+"\noptions timeout:2 attempts:2\n"), 0o644))
}

func (n *namespace) command(name string, args ...string) *exec.Cmd {
	// The test's context ends before its cleanup, which ends things in order.
	cmd := exec.CommandContext(context.WithoutCancel(n.t.Context()), "nsenter", append([]string{
		"--target", strconv.Itoa(n.pid), "--net", "--mount", "--", name,
	}, args...)...)
	// It goes when the test is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run does something in the namespace and returns what it printed.
func (n *namespace) run(name string, args ...string) string {
	n.t.Helper()
	out, err := n.command(name, args...).CombinedOutput()
	require.NoError(n.t, err, "%s %s: %s", name, strings.Join(args, " "), out)
	return string(out)
}

// connect lays a cable between two namespaces and gives its ends addresses.
func connect(a, b *namespace, name, addressA, addressB string) {
	a.t.Helper()
	a.run("ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", strconv.Itoa(b.pid))
	a.run("ip", "address", "add", addressA, "dev", name)
	a.run("ip", "link", "set", name, "up")
	b.run("ip", "address", "add", addressB, "dev", "uplink")
	b.run("ip", "link", "set", "uplink", "up")
	gateway, _, _ := strings.Cut(addressA, "/")
	b.run("ip", "route", "add", "default", "via", gateway)
}

// self runs this test's program in the namespace, in a role: see TestMain.
func (n *namespace) self(role string, args ...string) *exec.Cmd {
	path, err := os.Executable()
	require.NoError(n.t, err)
	cmd := n.command(path, args...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	return cmd
}

// serve starts a role that serves until its input ends, and waits until it does.
func (n *namespace) serve(role string, args ...string) {
	n.t.Helper()
	cmd := n.self(role, args...)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	in, err := cmd.StdinPipe()
	require.NoError(n.t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(n.t, err)
	require.NoError(n.t, cmd.Start())
	n.t.Cleanup(func() {
		require.NoError(n.t, in.Close())
		require.NoError(n.t, cmd.Wait(), problems.String())
	})
	ready := make([]byte, len(readyLine))
	_, err = io.ReadFull(out, ready)
	require.NoError(n.t, err, "%s: %s", role, problems.String())
	require.Equal(n.t, readyLine, string(ready))
}

// reach resolves Vault's name and talks to it as a program on that machine would.
func (n *namespace) reach(caFile string) (string, error) {
	out, err := n.self("reach", caFile).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
