package accountapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
)

// ConnectionFile is the name of the file in the sandbox's folder that says how to reach
// its daemon.
const ConnectionFile = "daemon.json"

// ErrDown means that no daemon answers.
var ErrDown = errors.New("the sandbox is down: run `strongroom sandbox up`")

// Connection says how to reach the sandbox's daemon.
type Connection struct {
	// URL is the daemon's address on loopback, such as "http://127.0.0.1:41234".
	URL string `json:"url"`
	// Token must accompany every request. Whoever can read the file may use the account.
	Token string `json:"token"`
	// PID is the daemon's process.
	PID int `json:"pid,omitempty"`
	// Version is that of the program the daemon runs.
	Version string `json:"version,omitempty"`
}

// String leaves out the token.
func (c Connection) String() string { return c.URL }

// GoString leaves out the token.
func (c Connection) GoString() string { return c.URL }

// Load reads a connection file, with ErrDown where there is none.
func Load(path string) (Connection, error) {
	var c Connection
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("%w (there is no %s)", ErrDown, path)
	}
	if err != nil {
		return c, fmt.Errorf("connection to the sandbox: %w", err)
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s is damaged: %w; run `strongroom sandbox up` to have it written anew", path, err)
	}
	if err := c.check(); err != nil {
		return c, fmt.Errorf("%s: %w; run `strongroom sandbox up` to have it written anew", path, err)
	}
	return c, nil
}

// Save writes a connection file that only its owner can read. A reader sees the old
// file or the new one, never a part.
func (c Connection) Save(path string) error {
	if err := c.check(); err != nil {
		return fmt.Errorf("connection to the sandbox: %w", err)
	}
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	// CreateTemp makes files of mode 0600.
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("connection to the sandbox: %w", err)
	}
	_, err = temp.Write(append(data, '\n'))
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("connection to the sandbox: %w", errors.Join(err, os.Remove(temp.Name())))
	}
	return nil
}

// check keeps the token on this machine: it is sent in clear text.
func (c Connection) check() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" || u.Port() == "" {
		return fmt.Errorf("url: expected something like \"http://127.0.0.1:41234\", got %q", c.URL)
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("url: expected an address on loopback, got %q", c.URL)
	}
	if c.Token == "" {
		return errors.New("token: is empty")
	}
	return nil
}
