package verify

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/lib/pq"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/strongroom-platform/strongroom/sandbox/postgres"
)

// vaultMount is where the stacks mount the engine of databases.
const vaultMount = "database"

const (
	// poll is how often it is looked whether a user is gone, goneLimit how long after
	// the end of its lease it may take: Vault works through what has expired.
	poll      = 200 * time.Millisecond
	goneLimit = 30 * time.Second
	// attempts is how many users are asked for, where their leases end while they
	// are used.
	attempts = 3
)

// databaseUser follows a database user from its making to its end.
func (r *run) databaseUser(ctx context.Context) (*User, error) {
	if r.Database == nil {
		return nil, nil //nolint:nilnil // the report says why
	}
	password, err := r.password(r.Database.Admin, r.Database.AdminPasswordFile)
	if err != nil {
		return nil, err
	}
	admin, err := r.connect(r.Database.Admin, password)
	if err != nil {
		return nil, err
	}
	defer func() { _ = admin.Close() }() // only read from
	if err := r.makeTable(ctx, admin); err != nil {
		return nil, err
	}
	if err := r.HandOver(ctx); err != nil {
		return nil, err
	}
	token, err := r.orders(ctx)
	if err != nil {
		return nil, err
	}
	u, late, err := r.follow(ctx, token, admin)
	for attempt := 1; late && attempt < attempts; attempt++ {
		r.Progress("vault: its lease ended before all was tried: this machine is busy; once more with another user")
		u, late, err = r.follow(ctx, token, admin)
	}
	// Not before: with a token go its leases.
	return u, errors.Join(err, r.ops.Revoke(ctx, token))
}

// follow asks for a user with a workload's token. It is late where the user's lease
// ended while it was used, which proves nothing.
func (r *run) follow(ctx context.Context, token string, admin *sql.DB) (u *User, late bool, err error) {
	client, err := r.as(token)
	if err != nil {
		return nil, false, err
	}
	_, role := r.Application.login(ordersWorkload)
	u = &User{Role: Application + "-" + role, By: "the pod of " + namespace + "/" + ordersAccount}
	lease, err := client.Logical().ReadWithContext(ctx, vaultMount+"/creds/"+u.Role)
	if err != nil || lease == nil {
		return nil, false, errors.Join(fmt.Errorf("vault made no user for %s: see postgres.log, and vault.log of the active server", u.Role), err)
	}
	begun := time.Now()
	password, _ := lease.Data["password"].(string)
	u.Name, _ = lease.Data["username"].(string)
	u.LeaseSeconds = lease.LeaseDuration
	u.step(begun, "made by Vault", fmt.Sprintf("lease of %d s", u.LeaseSeconds), u.Name != "" && password != "")
	r.Progress(fmt.Sprintf("vault: made the database user %s, which lives for %d s", u.Name, u.LeaseSeconds))
	db, err := r.connect(u.Name, password)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = db.Close() }() // as above
	if worked := u.use(ctx, begun, db); !worked && time.Since(begun) >= time.Duration(u.LeaseSeconds)*time.Second {
		return u, true, nil
	}
	return u, false, u.awaitEnd(ctx, begun, db, admin)
}

// orders is the token of the workload that asks for the user.
func (r *run) orders(ctx context.Context) (string, error) {
	method, audience := r.applicationMethod()
	jwt, err := PodToken(ctx, r.Application.Kubernetes, namespace, ordersAccount, audience)
	if err != nil {
		return "", err
	}
	auth, refusal, err := r.login(ctx, r.Application, ordersWorkload, map[string]any{"jwt": jwt})
	if err != nil {
		return "", err
	}
	if refusal != "" {
		return "", fmt.Errorf("the pod that asks for a database user was refused by %s: %s", method, refusal)
	}
	return auth.ClientToken, nil
}

// use tries what the user may do and what it may not, and says whether all was as it
// must be.
func (u *User) use(ctx context.Context, begun time.Time, db *sql.DB) bool {
	for _, t := range []struct {
		statement string
		allowed   bool
	}{
		{"INSERT INTO orders (item) VALUES ('a book')", true},
		{"SELECT count(*) FROM orders", true},
		{"DROP TABLE orders", false},
		{"CREATE ROLE another LOGIN", false},
	} {
		_, err := db.ExecContext(ctx, t.statement)
		switch {
		case err == nil:
			u.step(begun, t.statement, "done", t.allowed)
		case postgres.Code(err) == notAllowed:
			u.step(begun, t.statement, "refused: "+err.Error(), !t.allowed)
		default:
			u.step(begun, t.statement, err.Error(), false)
		}
	}
	return !slices.ContainsFunc(u.Steps, func(s Step) bool { return !s.OK })
}

// awaitEnd waits until the user cannot log in and until PostgreSQL does not know it.
func (u *User) awaitEnd(ctx context.Context, begun time.Time, db, admin *sql.DB) error {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(u.LeaseSeconds)*time.Second+goneLimit)
	defer cancel()
	err := wait.PollUntilContextCancel(ctx, poll, true, func(ctx context.Context) (bool, error) {
		// A new connection each time: one that is open says nothing about logging in.
		db.SetMaxIdleConns(0)
		err := db.PingContext(ctx)
		switch {
		case err == nil, cut(err):
			return false, nil
		case refusedLogin(err):
			return true, nil
		}
		return false, err
	})
	if err != nil {
		return u.lives(ctx, begun, "login to PostgreSQL after the lease", err)
	}
	early := time.Since(begun) < time.Duration(u.LeaseSeconds-1)*time.Second
	outcome := "refused"
	if early {
		outcome = "refused before the lease ended"
	}
	u.step(begun, "login to PostgreSQL after the lease", outcome, !early)
	err = wait.PollUntilContextCancel(ctx, poll, true, func(ctx context.Context) (bool, error) {
		count := 0
		err := admin.QueryRowContext(ctx, "SELECT count(*) FROM pg_roles WHERE rolname = $1", u.Name).Scan(&count)
		return count == 0, err
	})
	if err != nil {
		return u.lives(ctx, begun, "looked for in pg_roles", err)
	}
	u.step(begun, "looked for in pg_roles", "gone", true)
	return nil
}

// lives notes that the user did not go in time, or returns why that is not known.
func (u *User) lives(ctx context.Context, begun time.Time, what string, err error) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("database user %s: %w", u.Name, err)
	}
	u.step(begun, what, "still there", false)
	return nil
}

// HandOver gives Vault the initial password of its user, unless that was done before:
// then PostgreSQL refuses it.
func (r *run) HandOver(ctx context.Context) error {
	initial, err := r.password(r.Database.User, r.Database.PasswordFile)
	if err != nil {
		return err
	}
	db, err := r.connect(r.Database.User, initial)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only asked whether it opens
	err = db.PingContext(ctx)
	switch {
	case refusedLogin(err):
		return nil
	case err != nil:
		return fmt.Errorf("PostgreSQL at %s: %w", r.Database.Address, err)
	}
	if err := r.ops.HandOver(ctx, r.operator.Token(), vaultMount, database, initial); err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	r.Progress(fmt.Sprintf("vault: was given the password of PostgreSQL's %s, and has changed it", r.Database.User))
	return nil
}

// makeTable makes the table that the workload uses, as the person does whose database
// it is.
func (r *run) makeTable(ctx context.Context, admin *sql.DB) error {
	for _, statement := range []string{
		"CREATE TABLE IF NOT EXISTS orders (id serial PRIMARY KEY, item text)",
		"ALTER TABLE orders OWNER TO " + pq.QuoteIdentifier(postgres.User),
	} {
		if _, err := admin.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("table in PostgreSQL at %s: %w", r.Database.Address, err)
		}
	}
	return nil
}

// password reads the file that holds a user's.
func (r *run) password(user, file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("password of PostgreSQL's %s: %w", user, err)
	}
	return strings.TrimSpace(string(text)), nil
}

func (r *run) connect(user, password string) (*sql.DB, error) {
	return postgres.Open(r.Database.Address, r.Database.Database, user, password)
}

// notAllowed is PostgreSQL's insufficient_privilege.
const notAllowed = "42501"

// cut says that the session was ended from the other side, as Vault does with the
// sessions of a user that goes: that is no answer to whether the user may log in.
func cut(err error) bool {
	const adminShutdown = "57P01"
	return errors.Is(err, driver.ErrBadConn) || postgres.Code(err) == adminShutdown
}

// refusedLogin: class 28 is invalid authorization specification.
func refusedLogin(err error) bool { return strings.HasPrefix(postgres.Code(err), "28") }
