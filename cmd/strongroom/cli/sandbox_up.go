package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/spf13/cobra"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox/flux"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

// upSummary is what `sandbox up` ends with: a table for people, the last line of
// JSON for machines.
type upSummary struct {
	Time       time.Time       `json:"time"`
	Kind       string          `json:"kind"` // "result"
	OK         bool            `json:"ok"`
	Error      string          `json:"error,omitempty"`
	Dir        string          `json:"dir"`
	AccountURL string          `json:"accountUrl,omitempty"`
	Stacks     []upStack       `json:"stacks"`
	Clusters   []clusterReport `json:"clusters"`
	Flux       []flux.Status   `json:"flux,omitempty"`
	// Vault is what was tried of it; nil where the sandbox runs none.
	Vault     *verify.Report `json:"vault,omitempty"`
	Real      []string       `json:"real"`
	Simulated []string       `json:"simulated"`
	Phases    []phaseTime    `json:"phases"`
	Seconds   float64        `json:"seconds"`

	handedOver []string // clusters
	outputs    map[string]deploy.Outputs
}

// upStack is one stack that is up.
type upStack struct {
	stackLine
	// Resources counts what the stack holds by type, components left out.
	Resources  map[string]int `json:"resources"`
	Components int            `json:"components"`
}

// phaseTime is how long a part took.
type phaseTime struct {
	Phase   string  `json:"phase"`
	Seconds float64 `json:"seconds"`
}

func (a *app) sandboxUpCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring both stacks up on this machine; AWS is simulated",
		Long: `Build what is missing, start the sandbox, bring up tooling and then application
with the real Pulumi engine, and check each Kubernetes control plane through its
own kubeconfig: a namespace is created and deleted, and a principal without an
access entry is refused. Each cluster is handed over to Flux, which reads gitops/
from the checkout's working tree, and it waits until all of that is in place. In
the meantime every way to log in to Vault is tried, and a workload gets a PostgreSQL
user that is seen to expire (` + "`strongroom sandbox verify`" + `). It ends with a table of
what is there.

Run in a checkout of strongroom. It can be run again at any point, also after it
was killed; a second one at the same time waits for the first.`,
		Example: `  strongroom sandbox up

  # In a CI job: one JSON object per line, the last one is the result
  strongroom sandbox up --json | tee up.json

  # Somewhere else than in .sandbox
  ` + dirVariable + `=/srv/strongroom strongroom sandbox up`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandboxUp(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object per line: what happens, then a result; for machines")
	return cmd
}

func (a *app) sandboxUp(parent context.Context, asJSON bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	r := a.newReporter(asJSON)
	defer a.close(r)
	r.sandbox = true
	begun := a.now()
	s := &upSummary{Kind: "result", Stacks: []upStack{}, Clusters: []clusterReport{}, Real: realParts, Simulated: simulatedParts, outputs: map[string]deploy.Outputs{}}
	err := a.bringUp(ctx, r, s)
	s.Time, s.OK, s.Seconds = a.now(), err == nil, round(a.now().Sub(begun))
	if err != nil {
		s.Error = err.Error()
	}
	if r.json != nil {
		r.encode(s)
		return errors.Join(err, r.broken)
	}
	if err != nil && s.Vault == nil {
		return err
	}
	a.close(r)
	if err != nil {
		// What was tried says more than that something failed.
		return errors.Join(err, writeText(a.out, verifiedText(s.Vault)))
	}
	return writeText(a.out, s.text())
}

// bringUp does the whole of it and notes in s what there is to tell.
func (a *app) bringUp(ctx context.Context, r *reporter, s *upSummary) error {
	repo, err := a.repo()
	if err != nil {
		return err
	}
	b, err := a.open("")
	if err != nil {
		return err
	}
	s.Dir = b.Folder()
	unlock, err := b.Lock(ctx, waitingFor(r))
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.timed(s, "tools", func() error { return a.buildTools(ctx, r, b.FluxTools, repo) }); err != nil {
		return err
	}
	if err := b.CheckCharts(); err != nil {
		return err
	}
	r.phase("starting the sandbox")
	if err := a.timed(s, "start", func() error { return b.Start(ctx, r.say) }); err != nil {
		return err
	}
	e, err := a.sandboxEngine(b, repo)
	if err != nil {
		return err
	}
	env, err := b.Env()
	if err != nil {
		return err
	}
	checks, err := a.bringUpStacks(ctx, r, b, e, env, s)
	if err != nil {
		return errors.Join(err, checks.wait(&upSummary{}))
	}
	// Beside Flux, which is at work for longer.
	verifying, give := context.WithCancel(ctx)
	vault := startVerification(func() (*verify.Report, error) { return verifyVault(verifying, b, env, s.outputs, r.say) })
	defer func() {
		give()
		<-vault.done
	}()
	r.phase("checking the control planes")
	if err := a.timed(s, "checks", func() error { return checks.wait(s) }); err != nil {
		return err
	}
	if err := a.timed(s, "flux", func() error { return a.awaitFlux(ctx, r, b, s.handedOver) }); err != nil {
		return err
	}
	r.phase("verifying Vault")
	if err := a.timed(s, "vault", func() (err error) { s.Vault, err = vault.wait(); return err }); err != nil {
		return err
	}
	if s.Vault != nil {
		if err := failedVerification(b, s.Vault); err != nil {
			return err
		}
	}
	status, err := b.Status(ctx)
	if err != nil {
		return err
	}
	s.AccountURL, s.Flux = status.AccountURL, status.Flux
	for i := range s.Clusters {
		s.Clusters[i].describe(status.Clusters)
	}
	return nil
}

// timed notes how long a part took.
func (a *app) timed(s *upSummary, phase string, do func() error) error {
	begun := a.now()
	err := do()
	s.Phases = append(s.Phases, phaseTime{phase, round(a.now().Sub(begun))})
	return err
}

// bringUpStacks brings every stack up, in order. The control plane of a stack
// is checked while the next stack comes up.
func (a *app) bringUpStacks(ctx context.Context, r *reporter, b box, e engine, env map[string]string, s *upSummary) (*checks, error) {
	running := &checks{}
	stranger, err := b.StrangerEnv()
	if err != nil {
		return running, err
	}
	ordered, err := e.Order()
	if err != nil {
		return running, err
	}
	for _, stack := range ordered {
		var result *deploy.Result
		err := a.timed(s, stack, func() (err error) {
			result, err = a.runOne(ctx, r, e, deploy.PhaseUp, stack, deploy.Options{Events: r.event})
			return err
		})
		if err != nil {
			return running, err
		}
		kubeconfig, err := textOutput(result, "kubeconfig")
		if err != nil {
			return running, err
		}
		region, err := textOutput(result, "region")
		if err != nil {
			return running, err
		}
		if err := writeKubeconfig(b, stack, kubeconfig, region); err != nil {
			return running, err
		}
		check := clusterCheck{Stack: stack, Kubeconfig: kubeconfig, Env: maps.Clone(env), StrangerEnv: maps.Clone(stranger)}
		for _, name := range regionVariables {
			check.Env[name], check.StrangerEnv[name] = region, region
		}
		running.start(func() (clusterReport, error) { return a.check(ctx, check) })
		held, err := e.Resources(ctx, stack)
		if err != nil {
			return running, err
		}
		s.Stacks = append(s.Stacks, describeStack(result, held))
		s.outputs[stack] = result.Outputs
		if cluster, yes := handedOver(result); yes {
			s.handedOver = append(s.handedOver, cluster)
		}
	}
	return running, nil
}

// regionVariables tell aws where the cluster is: the kubeconfig does not, and
// without a region aws refuses to make a token. The first is that of the SDKs
// and of version 2 of the AWS CLI, the second that of version 1.
var regionVariables = []string{"AWS_REGION", "AWS_DEFAULT_REGION"}

// textOutput is an output without which a control plane cannot be checked.
func textOutput(result *deploy.Result, name string) (string, error) {
	text, ok := result.Outputs[name].Value.(string)
	if !ok || text == "" {
		return "", fmt.Errorf("stack %q has no output %q, and its control plane is checked with it", result.Stack, name)
	}
	return text, nil
}

// describeStack counts what a stack holds.
func describeStack(result *deploy.Result, held []deploy.Resource) upStack {
	u := upStack{stackLine: lineOf(result), Resources: map[string]int{}}
	for _, resource := range held {
		if resource.Component {
			u.Components++
			continue
		}
		u.Resources[resource.Type]++
	}
	return u
}

// checks are the control planes being checked, in the order of their stacks.
type checks struct{ results []chan checked }

type checked struct {
	report clusterReport
	err    error
}

func (c *checks) start(check func() (clusterReport, error)) {
	result := make(chan checked, 1)
	c.results = append(c.results, result)
	go func() {
		report, err := check()
		result <- checked{report, err}
	}()
}

// wait notes what the checks found.
func (c *checks) wait(s *upSummary) error {
	var errs []error
	for _, result := range c.results {
		done := <-result
		if done.err != nil {
			errs = append(errs, done.err)
			continue
		}
		s.Clusters = append(s.Clusters, done.report)
	}
	return errors.Join(errs...)
}
