package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Job is the first start as the Job in gitops/ has it: init.sh and store.sh side
// by side, as they stand, with one folder between them. The images are played by
// the programs on Path: `vault` and `aws`.
type Job struct {
	// Scripts is the folder with init.sh, store.sh and provisioner.hcl.
	Scripts string
	// Path is where sh finds its programs, as $PATH.
	Path string
	// Peers are the addresses of the servers, CAFile their CA.
	Peers  []string
	CAFile string
	// ServerName is the name in the certificates of all servers.
	ServerName string
	// SecretID is the recovery secret, name or ARN.
	SecretID string
	// Region, Endpoint and Credentials are what store.sh's `aws` works with.
	Region, Endpoint string
	Credentials      []string
	// Provisioner is the service account, whose token lies in TokenFile.
	Namespace, ServiceAccount, Audience, TokenFile string
	// KubernetesURL is the control plane that reviews tokens. Servers without Pods
	// also need its CA and the token that may review, in a file each.
	KubernetesURL, KubernetesCAFile, ReviewerFile string
	// Environment is added to both scripts'.
	Environment []string
	// Memory is where the folder between the scripts is made. Default: a place
	// that is memory, where the machine has one.
	Memory string
	// Wait is how long the scripts wait for anything.
	Wait time.Duration
	// Out receives what the scripts say.
	Out io.Writer
}

// Outcome is how one pod of the Job ended.
type Outcome int

// The outcomes.
const (
	Finished    Outcome = iota
	TryAgain            // exit code 1 or 2, or killed
	NeedsPerson         // exit code 3
)

// Pod runs the scripts once, as one pod of the Job, and returns how it ended.
// Whatever ends it, ctx included, both scripts end and their folder goes.
func (j Job) Pod(ctx context.Context) (Outcome, error) {
	handover, err := memoryDir(j.Memory)
	if err != nil {
		return TryAgain, err
	}
	defer func() { _ = os.RemoveAll(handover) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &lockedWriter{w: j.Out}

	store := j.command(ctx, "store.sh", handover, append([]string{
		"RECOVERY_SECRET_ID=" + j.SecretID, "AWS_REGION=" + j.Region,
		"AWS_DEFAULT_REGION=" + j.Region, // version 1 of the CLI knows no other
		"AWS_ENDPOINT_URL=" + j.Endpoint, "AWS_ENDPOINT_URL_SECRETS_MANAGER=" + j.Endpoint, "AWS_EC2_METADATA_DISABLED=true",
	}, j.Credentials...), out)
	if err := store.Start(); err != nil {
		return TryAgain, fmt.Errorf("first start of Vault: %w", err)
	}
	stored := make(chan struct{})
	go func() {
		defer close(stored)
		_ = store.Wait() // it is told to end
	}()
	defer func() { cancel(); <-stored }()

	wait := j.Wait
	if wait == 0 {
		wait = 5 * time.Minute
	}
	init := j.command(ctx, "init.sh", handover, []string{
		"VAULT_PEERS=" + strings.Join(j.Peers, " "), "VAULT_CACERT=" + j.CAFile, "VAULT_TLS_SERVER_NAME=" + j.ServerName,
		"PROVISIONER_TOKEN_FILE=" + j.TokenFile, "PROVISIONER_NAMESPACE=" + j.Namespace,
		"PROVISIONER_SERVICE_ACCOUNT=" + j.ServiceAccount, "PROVISIONER_AUDIENCE=" + j.Audience,
		"PROVISIONER_POLICY_FILE=" + filepath.Join(j.Scripts, "provisioner.hcl"),
		// In its own folder for each server.
		"AUDIT_FILE=audit/audit.log",
		"KUBERNETES_HOST=" + j.KubernetesURL, "KUBERNETES_CA_FILE=" + j.KubernetesCAFile, "TOKEN_REVIEWER_FILE=" + j.ReviewerFile,
		fmt.Sprintf("WAIT_SECONDS=%d", int(wait.Seconds())),
	}, out)
	err = init.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return Finished, nil
	case !errors.As(err, &exit):
		return TryAgain, fmt.Errorf("first start of Vault: %w", err)
	case exit.ExitCode() == 3:
		return NeedsPerson, nil
	}
	return TryAgain, nil
}

// command is one container: sh with a script, in a process group of its own that
// ends with ctx.
func (j Job) command(ctx context.Context, script, handover string, environment []string, out io.Writer) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", filepath.Join(j.Scripts, script))
	cmd.Dir = handover
	cmd.Env = append([]string{"PATH=" + j.Path, "HANDOVER=" + handover}, environment...)
	cmd.Env = append(cmd.Env, j.Environment...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
			return os.ErrProcessDone
		}
		return nil
	}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// memoryDir makes a folder that is memory where the machine has such a place.
// Elsewhere it is a folder of the user's own: what passes through it is worth
// nothing outside of the sandbox.
func memoryDir(parent string) (string, error) {
	if info, err := os.Stat("/dev/shm"); parent == "" && err == nil && info.IsDir() {
		parent = "/dev/shm"
	}
	dir, err := os.MkdirTemp(parent, "strongroom-vault-init-")
	if err != nil {
		return "", fmt.Errorf("folder between the scripts of Vault's first start: %w", err)
	}
	return dir, nil
}

// lockedWriter lets two scripts write to one place.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.w == nil {
		return len(p), nil
	}
	return l.w.Write(p)
}
