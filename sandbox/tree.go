package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/strongroom-platform/strongroom/sandbox/files"
	"github.com/strongroom-platform/strongroom/sandbox/gitserver"
)

// treePath is the folder of the checkout that Flux reads.
const treePath = "gitops"

// remote is where the Git server answers, for the configuration of the stacks.
type remote struct {
	URL        string `json:"url"`
	KnownHosts string `json:"knownHosts"`
}

func (s *Sandbox) saveRemote(r remote) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("address of the git server: %w", err)
	}
	return files.Replace(s.remoteFile(), data, files.Private)
}

func (s *Sandbox) loadRemote() (r remote, found bool, err error) {
	data, err := os.ReadFile(s.remoteFile())
	if errors.Is(err, fs.ErrNotExist) {
		return r, false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, false, fmt.Errorf("address of the git server, %s: %w", s.remoteFile(), err)
	}
	return r, true, nil
}

// handOver is what a stack's configuration says of Flux in the sandbox, for a
// checkout with a tree that Flux can read, once the daemon serves it. What the
// checkout says of the path stays.
func (s *Sandbox) handOver(repoRoot string, config map[string]any) error {
	const key = "strongroom:flux"
	info, err := os.Stat(filepath.Join(repoRoot, treePath))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the tree that Flux reads: %w", err)
	}
	r, found, err := s.loadRemote()
	if err != nil || !found {
		return err
	}
	section := map[string]any{}
	if configured, ok := config[key].(map[string]any); ok {
		if path, has := configured["path"]; has {
			section["path"] = path
		}
	}
	section["url"], section["knownHosts"], section["branch"] = r.URL, r.KnownHosts, gitserver.Branch
	section["charts"] = s.operatorCharts()
	config[key] = section
	return nil
}

// rememberCheckout notes whose working tree is served.
func (s *Sandbox) rememberCheckout(repoRoot string) error {
	absolute, err := filepath.Abs(repoRoot)
	if err != nil {
		return fmt.Errorf("the checkout: %w", err)
	}
	return files.Ensure(s.checkoutFile(), []byte(absolute+"\n"), files.Private)
}

// checkout is whose working tree is served.
func (s *Sandbox) checkout() (string, error) {
	data, err := os.ReadFile(s.checkoutFile())
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(data)), nil
}

func (s *Sandbox) remoteFile() string   { return s.path("flux", "remote.json") }
func (s *Sandbox) checkoutFile() string { return s.path("project", "checkout") }
