package vaulthost

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/vault"
)

// FirstStart is how far the Job vault-init is.
type FirstStart string

// The states of the first start.
const (
	NotBegun    FirstStart = "not begun"
	UnderWay    FirstStart = "under way"
	Finished    FirstStart = "finished"
	NeedsPerson FirstStart = "a person has to act"
)

const (
	firstPause = 2 * time.Second
	// longestPause is also how soon the scripts see that a person has acted.
	longestPause = 30 * time.Second
)

// startJob runs the Job's scripts until they have finished, once.
func (v *hosted) startJob(ctx context.Context) {
	if v.endJob != nil {
		return
	}
	ctx, v.endJob = context.WithCancel(ctx)
	v.setFirstStart(UnderWay)
	v.job.Go(func() {
		for pause := firstPause; ; pause = min(2*pause, longestPause) {
			state := v.pod(ctx)
			v.setFirstStart(state)
			if state == Finished {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
}

func (v *hosted) setFirstStart(state FirstStart) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.firstStart = state
}

func (v *hosted) stopJob() {
	if v.endJob != nil {
		v.endJob()
		v.job.Wait()
		v.endJob = nil
	}
}

// LogName is the file in LogDir that takes what the scripts of a cluster's Job say.
func LogName(cluster string) string { return "vault-init-" + cluster + ".log" }

// pod runs the scripts once.
func (v *hosted) pod(ctx context.Context) FirstStart {
	logName := filepath.Join(v.options.LogDir, LogName(v.cluster.Name))
	outcome, err := v.runScripts(ctx, logName)
	switch {
	case ctx.Err() != nil:
		return UnderWay
	case err != nil:
		v.say("the first start cannot be run", "error", err)
		return UnderWay
	case outcome == vault.Finished:
		v.say("the first start has finished", "log", logName)
		return Finished
	case outcome == vault.NeedsPerson:
		v.say("the first start needs a person: the last line of its log says why", "log", logName)
		return NeedsPerson
	}
	v.say("the first start did not finish and is tried again", "log", logName)
	return UnderWay
}

func (v *hosted) runScripts(ctx context.Context, logName string) (vault.Outcome, error) {
	secret, err := v.recoverySecret()
	if err != nil {
		return vault.TryAgain, err
	}
	// The machine's own AWS CLI may be anywhere on its PATH.
	path := v.options.BinDir + string(filepath.ListSeparator) + os.Getenv("PATH")
	log, err := os.OpenFile(logName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return vault.TryAgain, fmt.Errorf("log of the first start: %w", err)
	}
	defer func() { _ = log.Close() }() // only for people
	if _, err := fmt.Fprintf(log, "--- %s, the scripts of the Job vault-init in cluster %s; `aws` is %s\n", time.Now().Format(time.DateTime), v.cluster.Name, whichAWS(path)); err != nil {
		return vault.TryAgain, fmt.Errorf("log of the first start: %w", err)
	}
	v.mu.Lock()
	serverName := v.release.serverName
	v.mu.Unlock()
	var peers []string
	for _, server := range v.servers.List() {
		peers = append(peers, server.URL)
	}
	token := func(file string) string { return filepath.Join(v.tokenDir(), file) }
	return vault.Job{
		Scripts: v.options.Scripts, Path: path, Peers: peers, CAFile: v.servers.CAFile(), ServerName: serverName,
		SecretID: secret, Region: v.cluster.Region, Endpoint: v.options.Endpoint, Credentials: v.identity(initIdentityFile),
		Namespace: namespace, ServiceAccount: initAccount, Audience: vaultAudience, TokenFile: token(provisionerFile),
		KubernetesURL: v.config.Host,
		Environment: []string{
			"SNAPSHOT_SERVICE_ACCOUNT=" + snapshotAccount,
			"SNAPSHOT_POLICY_FILE=" + filepath.Join(v.options.Scripts, "snapshot.hcl"),
		},
		Out: log,
	}.Pod(ctx)
}

// recoverySecret is the secret that the Job's role may write.
func (v *hosted) recoverySecret() (string, error) {
	role, roleARN, err := v.options.Account.PodRole(v.cluster.Name, namespace, initAccount)
	if err != nil {
		return "", err
	}
	var found []string
	for _, o := range v.options.Account.Objects() {
		if o.Type != "aws:secretsmanager/secret:Secret" {
			continue
		}
		arn, _ := o.Outputs["arn"].(string)
		err := v.options.Account.Authorize(account.Principal{ARN: roleARN, Role: role}, account.Access{Action: "secretsmanager:PutSecretValue", Resource: arn})
		if err == nil {
			found = append(found, arn)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("role %s of service account %s/%s may write %d secrets and not one, the recovery secret", role, namespace, initAccount, len(found))
	}
	return found[0], nil
}

// whichAWS says who plays the AWS CLI.
func whichAWS(path string) string {
	for _, dir := range filepath.SplitList(path) {
		program := filepath.Join(dir, "aws")
		if _, err := exec.LookPath(program); err != nil {
			continue
		}
		if text, err := os.ReadFile(program); err == nil && strings.Contains(string(text[:min(len(text), 200)]), "stand-in for the AWS CLI") {
			return "the sandbox's stand-in for the AWS CLI"
		}
		return "the machine's AWS CLI, " + program
	}
	return "not there"
}
