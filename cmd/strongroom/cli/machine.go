package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/toolchain"
)

func freeDisk(dir string) (uint64, error) { return toolchain.FreeDisk(dir) }

// totalMemory in bytes: from /proc, and from sysctl where there is none, as on
// macOS; 0 where neither tells.
func totalMemory() uint64 {
	if data, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib uint64
		if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	out, err := exec.CommandContext(context.Background(), "sysctl", "-n", "hw.memsize").Output()
	if err != nil {
		return 0
	}
	bytes, err := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return 0
	}
	return bytes
}

// freePort proves that a program may listen on loopback.
func freePort() error {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("no port on 127.0.0.1 can be listened on: %w: is the loopback interface up (`ip addr show lo`)?", err)
	}
	return l.Close()
}
