package account

import (
	"context"
	"fmt"
	"sync"
)

// Op is an operation on the account.
type Op string

// The operations.
const (
	OpCreate Op = "create"
	OpRead   Op = "read"
	OpUpdate Op = "update"
	OpDelete Op = "delete"
	OpInvoke Op = "invoke"
)

// Mode is what an injected fault does.
type Mode string

// The modes. A fault strikes before the operation has any effect.
const (
	// Throttle answers the next Count calls with a retryable ThrottlingException.
	Throttle Mode = "throttle"
	// FailOnce fails one call, then the fault is gone.
	FailOnce Mode = "failOnce"
	// FailAlways fails every call until the fault is cleared.
	FailAlways Mode = "failAlways"
	// Hang holds every call until the caller gives up or the fault is cleared.
	Hang Mode = "hang"
)

// Fault is one fault to inject.
type Fault struct {
	Type string `json:"type"` // Pulumi token; empty means every type
	Op   Op     `json:"op"`   // empty means every operation
	Mode Mode   `json:"mode"`
	// Count is the number of calls for Throttle; 0 means 1.
	Count int `json:"count,omitempty"`
}

// Faults holds the faults that are injected. They live as long as the process.
type Faults struct {
	mu      sync.Mutex
	faults  []*Fault
	changed chan struct{} // closed when faults are cleared
}

func newFaults() *Faults { return &Faults{changed: make(chan struct{})} }

// Set adds a fault.
func (f *Faults) Set(fault Fault) error {
	switch fault.Mode {
	case Throttle, FailOnce, FailAlways, Hang:
	default:
		return fmt.Errorf("fault mode %q is not known: expected %q, %q, %q or %q", fault.Mode, Throttle, FailOnce, FailAlways, Hang)
	}
	switch fault.Op {
	case "", OpCreate, OpRead, OpUpdate, OpDelete, OpInvoke:
	default:
		return fmt.Errorf("fault operation %q is not known: expected %q, %q, %q, %q or %q", fault.Op, OpCreate, OpRead, OpUpdate, OpDelete, OpInvoke)
	}
	if fault.Type != "" && fault.Op != OpInvoke {
		if _, err := Lookup(fault.Type); err != nil {
			return err
		}
	}
	if fault.Count == 0 || fault.Mode == FailOnce {
		fault.Count = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, &fault)
	return nil
}

// Clear removes every fault; calls that hang go on.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = nil
	close(f.changed)
	f.changed = make(chan struct{})
}

// List returns the faults that are in force.
func (f *Faults) List() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := []Fault{}
	for _, fault := range f.faults {
		if fault.Count > 0 {
			out = append(out, *fault)
		}
	}
	return out
}

func (f *Faults) strike(ctx context.Context, typ string, op Op) error {
	fault, changed := f.next(typ, op)
	if fault == nil {
		return ctx.Err()
	}
	switch fault.Mode {
	case Throttle:
		return &Error{Code: "ThrottlingException", Message: "Rate exceeded (injected fault)", Retryable: true}
	case Hang:
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
			return nil
		}
	}
	return refuse("InternalFailure", "injected fault: %s of %s", op, typ)
}

// next finds the fault that strikes a call and counts the call off.
func (f *Faults) next(typ string, op Op) (*Fault, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fault := range f.faults {
		if fault.Count <= 0 || (fault.Type != "" && fault.Type != typ) || (fault.Op != "" && fault.Op != op) {
			continue
		}
		if fault.Mode == Throttle || fault.Mode == FailOnce {
			fault.Count--
		}
		struck := *fault
		return &struck, f.changed
	}
	return nil, nil
}
