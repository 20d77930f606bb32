package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/deploy"
	"github.com/strongroom-platform/strongroom/sandbox"
	"github.com/strongroom-platform/strongroom/sandbox/verify"
)

func (a *app) sandboxVerifyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Try every login to Vault, and a database user from its making to its end",
		Long: `Log in to the sandbox's Vault in every way that there is, each with the identity
that it is made for and with some that must be refused, and let a workload ask for
a PostgreSQL user, use it, and see it go when its lease ends. This is what ` + "`strongroom\nsandbox up`" + ` ends with; it can be run again at any time, and leaves nothing but two
namespaces "sandbox" with service accounts.

The exit code is not 0 when something went otherwise than it must.`,
		Example: `  strongroom sandbox verify

  strongroom sandbox verify --json | jq '.logins[] | select(.ok | not)'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.sandboxVerify(cmd.Context(), asJSON) },
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object, for machines")
	return cmd
}

func (a *app) sandboxVerify(parent context.Context, asJSON bool) error {
	ctx, stop := a.interruptible(parent)
	defer stop()
	p, err := a.goTo(ctx, placeFlags{sandbox: true}, false, a.silent())
	if err != nil {
		return err
	}
	defer p.leave()
	b, err := a.open("")
	if err != nil {
		return err
	}
	outputs := map[string]deploy.Outputs{}
	for _, stack := range []string{verify.Tooling, verify.Application} {
		if outputs[stack], err = p.engine.Outputs(ctx, stack); err != nil {
			return err
		}
	}
	report, err := verifyVault(ctx, b, p.env, outputs, a.tell)
	if err != nil {
		return err
	}
	if report == nil {
		return fmt.Errorf("nothing inside of Vault is declared in this sandbox: it was switched off by %s, or the stacks are not up: run `strongroom sandbox up`", sandbox.VaultVariable)
	}
	if err := a.report(asJSON, report, verifiedText(report)); err != nil {
		return err
	}
	return failedVerification(b, report)
}

// outputVaultLogins says by workload where it logs in and as what.
const outputVaultLogins = "vaultLogins"

// verifyVault verifies the Vault of two stacks that are up; nil where one of them
// declares nothing inside of it.
func verifyVault(ctx context.Context, b box, env map[string]string, outputs map[string]deploy.Outputs, say func(string)) (*verify.Report, error) {
	of := map[string]verify.Stack{}
	for _, stack := range []string{verify.Tooling, verify.Application} {
		logins, declared := outputs[stack][outputVaultLogins].Value.(map[string]any)
		if !declared {
			return nil, nil //nolint:nilnil // there is nothing to verify
		}
		config, err := clusterConfig(&place{sandbox: true, env: env}, outputs[stack])
		if err != nil {
			return nil, fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
		}
		client, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, fmt.Errorf("kubeconfig of stack %q: %w", stack, err)
		}
		s := verify.Stack{Kubernetes: client, Logins: map[string]string{}}
		for workload, at := range logins {
			s.Logins[workload], _ = at.(string)
		}
		of[stack] = s
	}
	o := stackOutputs{verify.Tooling, outputs[verify.Tooling], "first"}
	values, err := o.texts(outputVaultAddress, outputRegion)
	if err != nil {
		return nil, err
	}
	return b.Verify(ctx, sandbox.VerifyStacks{
		Tooling: of[verify.Tooling], Application: of[verify.Application],
		VaultAddress: values[outputVaultAddress], Region: values[outputRegion],
	}, say)
}

// failedVerification says what went otherwise than it must, and where to look.
func failedVerification(b box, r *verify.Report) error {
	if err := r.Err(); err != nil {
		vault := filepath.Join(b.Folder(), "vault", verify.Tooling)
		return fmt.Errorf("vault is not as it must be: %w\nlook at %s, which tells of every request, %s and %s; `strongroom sandbox verify` tries again",
			err, filepath.Join(vault, "vault-*", "vault.log"), filepath.Join(vault, "postgres", "postgres.log"), filepath.Join(b.LogDir(), "daemon.log"))
	}
	return nil
}

// verification runs beside other work.
type verification struct {
	done   chan struct{}
	report *verify.Report
	err    error
}

func startVerification(do func() (*verify.Report, error)) *verification {
	v := &verification{done: make(chan struct{})}
	go func() {
		defer close(v.done)
		v.report, v.err = do()
	}()
	return v
}

func (v *verification) wait() (*verify.Report, error) {
	<-v.done
	return v.report, v.err
}

// verifiedText is the verification for people; nil: there was none.
func verifiedText(r *verify.Report) string {
	if r == nil {
		return "\nVault: nothing was tried, because nothing inside of it is declared here (" + sandbox.VaultVariable + ")\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\nVault: every way to log in, tried for real in %s\n", seconds(r.Seconds))
	rows := [][]string{{"  method", "who", "must be", "outcome"}}
	var simulated []string
	told := map[string]bool{}
	for _, l := range r.Logins {
		must := "let in"
		if l.MustBeRefused {
			must = "refused"
		}
		rows = append(rows, []string{"  " + l.Method, l.Who, must, failed(l.OK) + l.Outcome})
		if line := l.Method + ": " + l.Simulated; l.Simulated != "" && !told[line] {
			told[line] = true
			simulated = append(simulated, line)
		}
	}
	b.WriteString(columns(rows))
	if len(simulated) > 0 {
		b.WriteString("  simulated was in\n")
	}
	for _, line := range simulated {
		b.WriteString("    " + line + "\n")
	}
	if u := r.User; u != nil {
		fmt.Fprintf(&b, "\nA user of PostgreSQL (real) that lives for %d s, made by Vault for %s\n", u.LeaseSeconds, u.By)
		fmt.Fprintf(&b, "  %s, by the role %s\n", u.Name, u.Role)
		rows = nil
		for _, s := range u.Steps {
			rows = append(rows, []string{"  " + s.At, fmt.Sprintf("after %4.1f s", s.AfterSeconds), s.What, failed(s.OK) + s.Outcome})
		}
		b.WriteString(columns(rows))
	}
	if len(r.NotTried) > 0 {
		writeList(&b, "\nNot tried", r.NotTried)
	}
	return b.String()
}

// failed marks what must not be.
func failed(ok bool) string {
	if ok {
		return ""
	}
	return "FAILED: "
}
