package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/strongroom-platform/strongroom/sandbox/account/journal"
)

// AccountID is the number of the simulated account.
const AccountID = "123456789012"

// Object is one object of the account.
type Object struct {
	Type   string `json:"type"` // Pulumi token
	ID     string `json:"id"`
	URN    string `json:"urn,omitempty"` // of the resource it was created for
	Region string `json:"region"`
	// Inputs are what the object was last created or updated with.
	Inputs map[string]any `json:"inputs"`
	// Outputs are the object's whole state: the inputs and what AWS computes.
	Outputs map[string]any `json:"outputs"`
	Created time.Time      `json:"created"`
	// Owner is the type and ID, joined by a space, of the object that this one
	// was made for by AWS itself, such as the default security group of a VPC.
	// It goes when its owner goes. Empty for what a program created.
	Owner string `json:"owner,omitempty"`
	// State is empty for an object that is ready.
	State State `json:"state,omitempty"`
	// Pending are the new inputs while State is Updating.
	Pending map[string]any `json:"pending,omitempty"`
}

// State is the state of an object that an operation is working on.
type State string

// The states. An object that has one at Open was being worked on when the
// process ended.
const (
	Creating State = "creating"
	Updating State = "updating"
	Deleting State = "deleting"
)

func (o *Object) key() string { return key(o.Type, o.ID) }

func (o *Object) clone() *Object {
	c := *o
	c.Inputs, c.Outputs, c.Pending = cloneMap(o.Inputs), cloneMap(o.Outputs), cloneMap(o.Pending)
	return &c
}

// in and out read the object's properties.
func (o *Object) in() Props  { return o.Inputs }
func (o *Object) out() Props { return o.Outputs }

func key(typ, id string) string { return typ + " " + id }

// CreateRequest asks for a new object.
type CreateRequest struct {
	Type   string
	URN    string
	Region string
	// Inputs are checked inputs, without unknown values.
	Inputs map[string]any
	// Caller is the ARN of the principal that creates. Empty means the
	// account's operator. It becomes the administrator of a new EKS cluster.
	Caller string
}

// Options of an account. The zero value is good.
type Options struct {
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Account is an open simulated account. It is safe for concurrent use.
type Account struct {
	dir           string
	controlPlanes ControlPlanes
	now           func() time.Time
	lock          *os.File
	identities    []Identity
	faults        *Faults

	mu      sync.Mutex
	journal *journal.Journal
	seal    *seal
	objects map[string]map[string]*Object // type -> ID; objects in it never change
	busy    map[string]bool               // keys that a slow operation works on
	closed  bool
}

// Open opens the account kept in dir, which is made where it does not exist. A
// directory belongs to one process at a time. Operations on control planes that
// an earlier process did not finish are rolled back (create) or finished
// (upgrade, delete) before Open returns, so it may take as long as they do.
func Open(dir string, cp ControlPlanes, opts Options) (*Account, error) {
	if registryProblem != nil {
		return nil, registryProblem
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the simulated account: %w", err)
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	a := &Account{
		dir: dir, controlPlanes: cp, now: opts.Now, lock: lock, faults: newFaults(),
		objects: map[string]map[string]*Object{}, busy: map[string]bool{},
	}
	if a.now == nil {
		a.now = time.Now
	}
	if err := a.load(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := errors.Join(a.recover(context.Background()), a.sweepContent()); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *Account) load() error {
	var err error
	if a.identities, err = loadIdentities(a.dir); err != nil {
		return err
	}
	if a.seal, err = openSeal(a.dir); err != nil {
		return err
	}
	j, records, err := journal.Open(filepath.Join(a.dir, "account.journal"))
	if err != nil {
		return fmt.Errorf("state of the simulated account: %w", err)
	}
	a.journal = j
	for name, record := range records {
		o := &Object{}
		if err := json.Unmarshal(record, o); err != nil {
			return errors.Join(fmt.Errorf("state of the simulated account: object %q: %w", name, err), j.Close())
		}
		if o, err = a.seal.open(o); err != nil {
			return errors.Join(fmt.Errorf("state of the simulated account: %w", err), j.Close())
		}
		a.store(o)
	}
	return nil
}

// lockDir keeps a second process out. The lock goes with the process, however
// it ends.
func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("folder of the simulated account: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("the simulated account in %q is in use by another process: %w", dir, err), file.Close())
	}
	return file, nil
}

// Close gives the directory free. Operations that are still under way fail.
func (a *Account) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	return errors.Join(a.journal.Close(), a.lock.Close())
}

func (a *Account) store(o *Object) {
	if a.objects[o.Type] == nil {
		a.objects[o.Type] = map[string]*Object{}
	}
	a.objects[o.Type][o.ID] = o
}

// Objects returns a copy of every object, oldest first.
func (a *Account) Objects() []Object {
	return a.filter(func(*Object) bool { return true })
}

// FindByURN returns the objects that were created for a resource. After a run
// that was killed between a creation and the engine's note of it, this finds
// what that run left behind.
func (a *Account) FindByURN(urn string) []Object {
	return a.filter(func(o *Object) bool { return o.URN == urn && urn != "" })
}

func (a *Account) filter(wanted func(*Object) bool) []Object {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	var out []Object
	for _, byID := range a.objects {
		for _, o := range byID {
			if wanted(o) {
				out = append(out, *v.current(o))
			}
		}
	}
	slices.SortFunc(out, func(x, y Object) int {
		if c := x.Created.Compare(y.Created); c != 0 {
			return c
		}
		return strings.Compare(x.key(), y.key())
	})
	return out
}

// Read returns a copy of an object, with ErrNotFound where there is none.
func (a *Account) Read(ctx context.Context, typ, id string) (*Object, error) {
	if _, err := Lookup(typ); err != nil {
		return nil, err
	}
	if err := a.faults.strike(ctx, typ, OpRead); err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	o := v.get(typ, id)
	if o == nil {
		return nil, notFound("NotFound", "there is no %s with the ID %q", typ, id)
	}
	return v.current(o), nil
}

// Edit changes an object behind the back of the program that made it, as a
// person in the console would: this is how drift is made. The result is not
// checked beyond the schema.
func (a *Account) Edit(typ, id string, change func(*Object)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	o := v.edit(typ, id)
	if o == nil {
		return notFound("NotFound", "there is no %s with the ID %q", typ, id)
	}
	change(o)
	o.Type, o.ID = typ, id
	return a.commit(v)
}

// Faults gives access to the faults that are injected.
func (a *Account) Faults() *Faults { return a.faults }
