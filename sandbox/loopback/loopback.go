// Package loopback gives the sandbox's servers an address that survives them.
package loopback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
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
