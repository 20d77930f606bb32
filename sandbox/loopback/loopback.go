// Package loopback gives the sandbox's servers an address that survives them.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
)

// Listen takes the port on 127.0.0.1 that file remembers, so that what others
// wrote down of the address stays true, or another one where that is taken,
// and remembers it. what names the server in errors.
func Listen(ctx context.Context, file, what string) (net.Listener, error) {
	var config net.ListenConfig
	if former, err := os.ReadFile(file); err == nil {
		if l, err := config.Listen(ctx, "tcp4", "127.0.0.1:"+strings.TrimSpace(string(former))); err == nil {
			return l, nil
		}
	}
	l, err := config.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("%s needs a port on 127.0.0.1: %w", what, err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err == nil {
		err = files.Replace(file, []byte(port+"\n"), files.Private)
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// Reserve chooses the port on 127.0.0.1 of a server that somebody else starts later:
// the one that file remembers, or else one of first to last that is free now, which is
// remembered. Anywhere in the range, so that two sandboxes that choose at the same time
// hardly ever choose the same.
func Reserve(ctx context.Context, file string, first, last int, what string) (int, error) {
	former, err := os.ReadFile(file)
	if err == nil {
		port, err := strconv.Atoi(strings.TrimSpace(string(former)))
		if err != nil {
			return 0, fmt.Errorf("port of %s: %s is damaged: remove it: %w", what, file, err)
		}
		return port, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("port of %s: %w", what, err)
	}
	for _, offset := range rand.Perm(last - first + 1) { //nolint:gosec // no secret
		port := first + offset
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("port of %s: %w", what, err)
		}
		return port, files.Replace(file, []byte(strconv.Itoa(port)+"\n"), files.Private)
	}
	return 0, fmt.Errorf("no free port on 127.0.0.1 in %d-%d for %s", first, last, what)
}
