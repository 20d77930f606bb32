// Package verify shows that the Vault of a sandbox does what it is for: each way to log
// in is tried with the identity that it is made for and with one that must be refused,
// and a workload that proved who it is gets a database user, uses it, and sees it go.
//
// What it needs inside of Vault the sandbox adds to the configuration of the stacks:
// see tooling.yaml and application.yaml.
package verify

import (
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/hashicorp/vault/api"
	"k8s.io/client-go/kubernetes"

	"github.com/strongroom-platform/strongroom/internal/vaultaccess"
	"github.com/strongroom-platform/strongroom/internal/vaultops"
	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// limit is how long all of it may take: seconds are usual.
const limit = 3 * time.Minute

// Stack is what a stack has for it.
type Stack struct {
	// Kubernetes is the API of its cluster, as whoever may make tokens.
	Kubernetes kubernetes.Interface
	// Logins is its output vaultLogins: by workload "<mount>:<role>".
	Logins map[string]string
}

// Args say where everything is.
type Args struct {
	Tooling, Application Stack
	// Servers are the URLs of Vault's servers, CA what they are verified by, in PEM,
	// and ServerName for what name.
	Servers    []string
	CA         []byte
	ServerName string
	// Address is where people and workloads know Vault: what GitLab's tokens are for.
	Address string
	// Region of the AWS requests. Backup may log in, Stranger may not.
	Region           string
	Backup, Stranger aws.Credentials
	// GitLab signs the tokens of jobs.
	GitLab *rsa.PrivateKey
	// Database is PostgreSQL; nil: DatabaseNote says why there is none.
	Database     *postgres.Status
	DatabaseNote string
	// Progress receives what happens.
	Progress func(string)
}

// Run tries everything. The error is that something could not be tried at all; what
// went otherwise than it must is in the report: see Report.Err.
func Run(ctx context.Context, args Args) (*Report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done after %s", limit))
	defer cancel()
	r, err := open(ctx, args)
	if err != nil {
		return nil, fmt.Errorf("verify the logins to Vault: %w", err)
	}
	report, err := r.all(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if revoke := r.ops.Revoke(ctx, r.operator.Token()); err == nil && revoke != nil {
		err = revoke
	}
	if err != nil {
		return nil, fmt.Errorf("verify the logins to Vault: %w", err)
	}
	return report, nil
}

// run is one verification.
type run struct {
	Args
	ops    *vaultops.Vault
	active string
	client *http.Client
	// operator is the provisioner, who hands out secret ids and hands the database over.
	operator *api.Client
}

func open(ctx context.Context, args Args) (*run, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(args.CA) {
		return nil, errors.New("the CA of Vault is no certificate in PEM")
	}
	r := &run{Args: args, client: &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: args.ServerName, MinVersion: tls.VersionTLS12}},
		// Vault's client follows redirects itself, once.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	r.ops = &vaultops.Vault{Client: r.client, Servers: args.Servers}
	var err error
	if r.active, err = r.ops.Active(ctx); err != nil {
		return nil, err
	}
	jwt, err := PodToken(ctx, args.Tooling.Kubernetes, vaultaccess.Namespace, vaultaccess.ServiceAccount, vaultaccess.Audience)
	if err != nil {
		return nil, err
	}
	token, err := r.ops.Login(ctx, vaultaccess.Mount, vaultaccess.Role, jwt)
	if err != nil {
		return nil, err
	}
	r.operator, err = r.as(token)
	return r, err
}

// as is a client of Vault with a token. Nothing of the environment has a say in it.
func (r *run) as(token string) (*api.Client, error) {
	client, err := api.NewClient(&api.Config{Address: r.active, HttpClient: r.client, Timeout: time.Minute})
	if err != nil {
		return nil, fmt.Errorf("client of Vault: %w", err)
	}
	client.ClearNamespace()
	client.SetToken(token)
	return client, nil
}

// all tries the methods beside each other, and the database user as soon as its
// workload has logged in.
func (r *run) all(ctx context.Context) (*Report, error) {
	begun := time.Now()
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	report := &Report{}
	methods := []func(context.Context) ([]Login, error){r.toolingPods, r.applicationPods, r.appRole, r.iam, r.gitlab}
	logins, errs := make([][]Login, len(methods)), make([]error, len(methods)+1)
	var trying sync.WaitGroup
	for i, try := range methods {
		trying.Go(func() { logins[i], errs[i] = try(ctx) })
	}
	trying.Go(func() { report.User, errs[len(methods)] = r.databaseUser(ctx) })
	trying.Wait()
	for _, l := range logins {
		report.Logins = append(report.Logins, l...)
	}
	if r.Database == nil {
		report.NotTried = append(report.NotTried, "a database user: "+r.DatabaseNote)
	}
	report.NotTried = append(report.NotTried, r.otherMethod())
	letIn, refused := report.counts()
	r.Progress(fmt.Sprintf("vault: %d logins worked and %d were refused, of %d tried", letIn, refused, len(report.Logins)))
	report.Seconds = time.Since(begun).Round(100 * time.Millisecond).Seconds()
	return report, errors.Join(errs...)
}

// otherMethod says which of the two ways an application cluster logs in was not tried:
// a stack has one of them.
func (r *run) otherMethod() string {
	other := "jwt"
	if r.applicationByJWT() {
		other = "kubernetes"
	}
	return fmt.Sprintf("%s (application): a stack has one of jwt and kubernetes; set strongroom:vault.logins.cluster to %s in Pulumi.application.yaml, and run this again", other, other)
}

// login is where a workload of the stack logs in and as what.
func (s Stack) login(workload string) (mount, role string) {
	mount, role, _ = strings.Cut(s.Logins[workload], ":")
	return mount, role
}
