package vpn

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long anything may take that the test waits for.
const patience = 30 * time.Second

// openvpn is a running server or client.
type openvpn struct {
	t    *testing.T
	what string
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string
	more  chan struct{} // closed and made anew at each line
}

func start(n *namespace, what string, args ...string) *openvpn {
	n.t.Helper()
	o := &openvpn{t: n.t, what: what, cmd: n.command("openvpn", args...), done: make(chan struct{}), more: make(chan struct{})}
	out, err := o.cmd.StdoutPipe()
	require.NoError(n.t, err)
	o.cmd.Stderr = o.cmd.Stdout
	require.NoError(n.t, o.cmd.Start())
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			o.add(lines.Text())
		}
		_ = o.cmd.Wait() // how it ended does not matter: its lines say
		close(o.done)
	}()
	n.t.Cleanup(func() {
		o.stop()
		if n.t.Failed() {
			n.t.Logf("%s:\n%s", what, strings.Join(o.all(), "\n"))
		}
	})
	return o
}

func (o *openvpn) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
	close(o.more)
	o.more = make(chan struct{})
}

func (o *openvpn) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.lines...)
}

// find returns the first line from a position on that matches, and the position
// after it.
func (o *openvpn) find(from int, pattern *regexp.Regexp) (string, int, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := from; i < len(o.lines); i++ {
		if pattern.MatchString(o.lines[i]) {
			return o.lines[i], i + 1, nil
		}
	}
	return "", len(o.lines), o.more
}

// wait returns when a line matches that came after a position.
func (o *openvpn) wait(from int, pattern string) (string, int) {
	o.t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	compiled := regexp.MustCompile(pattern)
	for ended := false; ; {
		line, next, more := o.find(from, compiled)
		if more == nil {
			return line, next
		}
		if ended {
			require.FailNow(o.t, o.what+" ended", "without a line %q", pattern)
		}
		select {
		case <-more:
		case <-o.done:
			ended = true // its last lines may have come just before
		case <-limit.C:
			require.FailNow(o.t, o.what, "no line %q within %s", pattern, patience)
		}
	}
}

func (o *openvpn) position() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.lines)
}

func (o *openvpn) has(pattern string) bool {
	_, _, more := o.find(0, regexp.MustCompile(pattern))
	return more == nil
}

// stop ends it at once and waits until it is gone, and its tunnel with it: it
// would say goodbye for seconds otherwise.
func (o *openvpn) stop() {
	_ = o.cmd.Process.Kill() // it may have ended by itself
	<-o.done
}

// startServer is the endpoint: mutual TLS, a revocation list, and what it pushes.
func startServer(n *namespace, s *site, certificate, key string) *openvpn {
	n.t.Helper()
	push := ""
	for _, r := range s.routes {
		push += fmt.Sprintf("push \"route %s\"\n", withMask(r))
	}
	config := fmt.Sprintf(`mode server
tls-server
dev tun0
dev-type tun
topology subnet
proto %s
multihome
port %s
server %s
ca %s
cert %s
key %s
dh none
crl-verify %s
verify-client-cert require
remote-cert-tls client
tls-version-min 1.2
cipher AES-256-GCM
keepalive 2 10
persist-key
persist-tun
explicit-exit-notify 1
%spush "dhcp-option DNS %s"
verb 3
`, s.protocol, s.port, withMask(s.clients), s.file("ca.pem"), certificate, key, s.file("crl.pem"), push, s.dns)
	file := filepath.Join(n.t.TempDir(), "server.conf")
	require.NoError(n.t, os.WriteFile(file, []byte(config), 0o600))
	server := start(n, "server", "--config", file)
	server.wait(0, "Initialization Sequence Completed")
	return server
}

// withMask writes a network as OpenVPN wants it: 10.0.0.0 255.255.0.0.
func withMask(p netip.Prefix) string {
	return p.Addr().String() + " " + net.IP(net.CIDRMask(p.Bits(), 32)).String()
}

// onUp does what a client's resolver script does: it takes the resolver that the
// endpoint pushed.
const onUp = `#!/bin/sh
set -eu
i=1
while :; do
  eval "option=\${foreign_option_$i:-}"
  [ -n "$option" ] || break
  case "$option" in "dhcp-option DNS "*) echo "nameserver ${option#dhcp-option DNS }" ;; esac
  i=$((i + 1))
done >/etc/resolv.conf
`

// startClient is a stock client with a profile as it was issued. What is added on
// its command line is what a distribution adds (the resolver's script), and how
// fast a test wants to see a failure.
func startClient(n *namespace, name, profile string, more ...string) *openvpn {
	n.t.Helper()
	script := filepath.Join(n.t.TempDir(), "up.sh")
	require.NoError(n.t, os.WriteFile(script, []byte(onUp), 0o700))
	return start(n, name, append([]string{
		"--config", profile, "--script-security", "2", "--up", script, "--connect-retry", "1", "--hand-window", "10",
	}, more...)...)
}

const connected = "Initialization Sequence Completed"
