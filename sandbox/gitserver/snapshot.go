package gitserver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func (s *Server) bare() string { return filepath.Join(s.options.Dir, Repository) }

// environment is all that git sees of ours: no configuration of the person's,
// and an identity that says what it is.
func (s *Server) environment() []string {
	const who, mail = "strongroom sandbox", "sandbox@localhost"
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.options.Dir, "LANG=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull,
		"GIT_AUTHOR_NAME=" + who, "GIT_AUTHOR_EMAIL=" + mail,
		"GIT_COMMITTER_NAME=" + who, "GIT_COMMITTER_EMAIL=" + mail,
	}
}

// prepare makes the bare repository once, and removes the locks that a killed
// git has left: there is one server per folder.
func (s *Server) prepare() error {
	if _, err := s.call(context.Background(), nil, "init", "--quiet", "--bare", "--initial-branch="+Branch, s.bare()); err != nil {
		return err
	}
	locks, err := filepath.Glob(filepath.Join(s.bare(), "refs", "heads", "*.lock"))
	if err != nil {
		return err
	}
	for _, lock := range locks {
		if err := os.Remove(lock); err != nil {
			return fmt.Errorf("git server: %w", err)
		}
	}
	return nil
}

// Snapshot makes a commit of the working tree where it differs from the last
// one, and returns what the branch points to.
func (s *Server) Snapshot(ctx context.Context) (string, error) {
	s.snapshots.Lock()
	defer s.snapshots.Unlock()
	source, err := s.options.Source()
	if err != nil {
		return "", fmt.Errorf("the working tree: %w", err)
	}
	if _, err := os.Stat(filepath.Join(source, s.options.Path)); err != nil {
		return "", fmt.Errorf("the working tree: %w", err)
	}
	dir, err := os.MkdirTemp(s.options.Dir, ".index-")
	if err != nil {
		return "", fmt.Errorf("git server: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	index := []string{"GIT_INDEX_FILE=" + filepath.Join(dir, "index"), "GIT_DIR=" + s.bare(), "GIT_WORK_TREE=" + source}
	if _, err := s.call(ctx, index, "-C", source, "add", "--all", "--", s.options.Path); err != nil {
		return "", err
	}
	tree, err := s.call(ctx, index, "write-tree")
	if err != nil {
		return "", err
	}
	ref := "refs/heads/" + Branch
	former, _ := s.call(ctx, index, "rev-parse", "--quiet", "--verify", ref) // fails before the first commit
	if former != "" {
		last, err := s.call(ctx, index, "rev-parse", former+"^{tree}")
		if err != nil {
			return "", err
		}
		if last == tree {
			return former, nil
		}
	}
	args := []string{"commit-tree", tree, "-m", "The working tree of the checkout"}
	if former != "" {
		args = append(args, "-p", former)
	}
	commit, err := s.call(ctx, index, args...)
	if err != nil {
		return "", err
	}
	if _, err := s.call(ctx, index, "update-ref", ref, commit); err != nil {
		return "", err
	}
	s.options.Logf("git server: the working tree is %s@%.12s", Branch, commit)
	return commit, nil
}

// call runs git and returns what it prints.
func (s *Server) call(ctx context.Context, environment []string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.git, args...)
	cmd.Dir = s.options.Dir
	cmd.Env = append(s.environment(), environment...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// closeWith closes a connection when ctx ends, until stop.
func closeWith(ctx context.Context, conn net.Conn) (stop func() bool) {
	return context.AfterFunc(ctx, func() { _ = conn.Close() })
}
