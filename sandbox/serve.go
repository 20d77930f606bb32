package sandbox

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/accountapi"
	"github.com/strongroom-platform/strongroom/sandbox/controlplane"
	"github.com/strongroom-platform/strongroom/sandbox/loopback"
	"github.com/strongroom-platform/strongroom/sandbox/podidentity"
	"github.com/strongroom-platform/strongroom/sandbox/process"
	"github.com/strongroom-platform/strongroom/sandbox/sts"
)

// Paths of the daemon's address. Everything else is the simulated AWS.
const (
	reviewPath    = "/token-review"
	statusPath    = "/status"
	reconcilePath = "/flux/reconcile"
)

// shutdownGrace is how long requests that are under way may take to end once
// the daemon was told to stop.
const shutdownGrace = 10 * time.Second

// daemon is what runs between `up` and `down`: the simulated account, the
// control planes of its clusters, and the address where both are reached.
type daemon struct {
	sandbox  *Sandbox
	log      *slog.Logger
	account  *account.Account
	planes   *controlplane.ControlPlanes
	sessions *podidentity.Sessions
	vaults   vaults
	handover *handover
	started  time.Time
	build    string
	token    string
	listener net.Listener
	server   *http.Server
}

// Serve is the daemon. It returns when ctx ends, after everything it started
// has ended, or when it cannot go on. Its log goes to standard error.
func (s *Sandbox) Serve(ctx context.Context) error {
	if err := s.prepare(); err != nil {
		return err
	}
	unlock, err := lockFile(ctx, s.path("run", "daemon.lock"), func(string) {})
	if err != nil {
		return err
	}
	defer unlock()
	d := &daemon{sandbox: s, log: slog.New(slog.NewTextHandler(os.Stderr, nil)), sessions: &podidentity.Sessions{}, started: time.Now(), build: buildOf(s.daemonProgram())}
	if err := d.open(ctx); err != nil {
		return err
	}
	return d.run(ctx)
}

// open takes the address, the control planes and the account, in this order:
// an operation that a killed daemon left undone is finished while the account
// opens, and a control plane asks the address about tokens.
func (d *daemon) open(ctx context.Context) (err error) {
	if d.token, err = newSecret(); err != nil {
		return err
	}
	review, err := newSecret()
	if err != nil {
		return err
	}
	if d.listener, err = loopback.Listen(ctx, d.sandbox.path("run", "port"), "the sandbox's daemon"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.listener.Close())
		}
	}()
	if err := d.noteSurroundings(ctx); err != nil {
		return err
	}
	d.planes, err = controlplane.New(controlplane.Options{
		Dir:     d.sandbox.ClustersDir(),
		BinDir:  d.sandbox.BinDir(),
		Webhook: controlplane.Webhook{URL: d.url() + reviewPath, Token: review},
		Logf:    func(format string, args ...any) { d.log.Info(fmt.Sprintf(format, args...)) },
	})
	if err != nil {
		return err
	}
	if d.handover, err = newHandover(ctx, d.sandbox, d.log, d.planes); err != nil {
		return errors.Join(err, d.planes.Close(context.WithoutCancel(ctx)))
	}
	d.account, err = account.Open(d.sandbox.AccountDir(), d.handover, account.Options{})
	if err != nil {
		return errors.Join(err, d.handover.close(context.WithoutCancel(ctx)), d.planes.Close(context.WithoutCancel(ctx)))
	}
	d.vaults = d.newVaults()
	jobDone := d.jobDone
	d.handover.jobDone.Store(&jobDone)
	d.server = &http.Server{Handler: d.handler(review), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)}
	return d.sandbox.writeCredentials(d.account.Identities())
}

// run serves until ctx ends.
func (d *daemon) run(ctx context.Context) error {
	served := make(chan error, 1)
	go func() { served <- d.server.Serve(d.listener) }()
	d.log.Info("the sandbox's daemon is starting", "url", d.url(), "pid", os.Getpid())

	err := d.resume(ctx)
	if err == nil {
		d.beginVaults()
		err = d.announce()
	}
	if err == nil {
		d.log.Info("the sandbox's daemon is ready", "after", time.Since(d.started).Round(time.Millisecond))
		select {
		case <-ctx.Done():
			d.log.Info("the sandbox's daemon was told to stop")
		case err = <-served:
			err = fmt.Errorf("the address %s: %w", d.url(), err)
		}
	}
	return errors.Join(err, d.close())
}

// resume brings the control planes back to what the account says: one per
// cluster that it holds. One that does not come up is no reason to refuse the
// rest: status and the next `up` say so.
func (d *daemon) resume(ctx context.Context) error {
	clusters := d.account.Clusters()
	if err := errors.Join(d.planes.Prune(ctx, clusters), d.handover.prune(clusters)); err != nil {
		return err
	}
	var starting sync.WaitGroup
	for _, cluster := range clusters {
		starting.Go(func() {
			endpoint, err := d.handover.Start(ctx, cluster)
			if err == nil {
				err = d.account.Started(cluster.Name, endpoint)
			}
			if err != nil {
				d.log.Error("control plane did not come up again", "cluster", cluster.Name, "error", err)
			}
		})
	}
	starting.Wait()
	return ctx.Err()
}

// announce tells where the daemon answers, now that it does.
func (d *daemon) announce() error {
	record, err := process.Identify("strongroom sandbox daemon", os.Getpid())
	if err != nil {
		return err
	}
	if err := record.Save(d.sandbox.daemonRecord()); err != nil {
		return err
	}
	return accountapi.Connection{URL: d.url(), Token: d.token, PID: os.Getpid(), Version: d.build}.Save(d.sandbox.connectionFile())
}

// close stops Vault's servers, then serving, then the control planes, and gives
// the account free.
func (d *daemon) close() error {
	stopped := d.vaults.close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if err := d.server.Shutdown(ctx); err != nil {
		d.log.Warn("requests were cut off", "error", err)
		if err := d.server.Close(); err != nil {
			d.log.Warn("close the address", "error", err)
		}
	}
	err := errors.Join(
		d.handover.close(context.Background()),
		stopped,
		d.planes.Close(context.Background()),
		d.account.Close(),
		removeIfThere(d.sandbox.connectionFile()),
		removeIfThere(d.sandbox.daemonRecord()),
	)
	d.log.Info("the sandbox's daemon has ended", "error", err)
	return err
}

func (d *daemon) url() string { return "http://" + d.listener.Addr().String() }

func (d *daemon) handler(review string) http.Handler {
	credentials := sts.Credentials(d.credential)
	mux := http.NewServeMux()
	mux.Handle(accountapi.Prefix, accountapi.Handler(d.account, d.token))
	mux.Handle("POST "+reviewPath+"/{cluster}", bearer(review, &sts.Webhook{
		Verifier: &sts.TokenVerifier{Credentials: credentials, Endpoint: d.listener.Addr().String()},
		Access:   d.account.AccessEntry,
		Log:      d.log,
	}))
	mux.Handle("GET "+statusPath, bearer(d.token, http.HandlerFunc(d.serveStatus)))
	mux.Handle("GET "+podidentity.Path, d.podIdentity())
	mux.Handle("POST "+reconcilePath, bearer(d.token, http.HandlerFunc(d.handover.serveReconcile)))
	mux.Handle("/", d.dataPlanes())
	return sts.RootPath(mux)
}

func (d *daemon) serveStatus(w http.ResponseWriter, _ *http.Request) {
	status := Status{
		Running: true, Dir: d.sandbox.Dir, PID: os.Getpid(), Since: d.started, AccountURL: d.url(),
		Clusters: d.planes.Status(), Vaults: d.vaults.Status(), Flux: d.handover.status(), Objects: map[string]int{},
	}
	for _, o := range d.account.Objects() {
		status.Objects[o.Type]++
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(status); err != nil {
		d.log.Warn("status was not taken", "error", err)
	}
}

// bearer lets only those through who know the token.
func bearer(token string, next http.Handler) http.Handler {
	want := []byte("Bearer " + token)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), want) != 1 {
			http.Error(w, "the bearer token is missing or wrong", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// newSecret makes 192 random bits, as text.
func newSecret() (string, error) {
	secret := make([]byte, 24)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return hex.EncodeToString(secret), nil
}
