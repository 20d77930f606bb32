package verify

import (
	"errors"
	"fmt"
	"time"
)

// Report is what was tried and how it went.
type Report struct {
	// Logins in the order of the ways to log in, what must work before what must be
	// refused.
	Logins []Login `json:"logins"`
	// User is the life of a database user, nil where none was asked for.
	User *User `json:"databaseUser,omitempty"`
	// NotTried says what was left out, why, and how to get it.
	NotTried []string `json:"notTried,omitempty"`
	Seconds  float64  `json:"seconds"`
}

// Login is one try to log in.
type Login struct {
	Method string `json:"method"` // "jwt (application)"
	Who    string `json:"who"`
	// At is the path in Vault and the role, "auth/gitlab as sandbox-deploy".
	At string `json:"at"`
	// MustBeRefused: letting it in would be the failure.
	MustBeRefused bool `json:"mustBeRefused"`
	// OK: it went as it must.
	OK bool `json:"ok"`
	// Outcome is what happened, and what the token was used for.
	Outcome string `json:"outcome"`
	// Simulated is what stood in for something real; empty: nothing did.
	Simulated string `json:"simulated,omitempty"`
}

// User is the life of a database user that Vault made.
type User struct {
	Name string `json:"name"`
	// Role is what was asked for, By who asked.
	Role string `json:"role"`
	By   string `json:"by"`
	// Lease is how long it was to live.
	LeaseSeconds int    `json:"leaseSeconds"`
	Steps        []Step `json:"steps"`
}

// Step is something that was seen of it.
type Step struct {
	What string `json:"what"`
	At   string `json:"at"` // time of day
	// After is counted from when the user was made.
	AfterSeconds float64 `json:"afterSeconds"`
	OK           bool    `json:"ok"`
	Outcome      string  `json:"outcome"`
}

// Err is nil where everything went as it must, and otherwise says what did not.
func (r *Report) Err() error {
	var errs []error
	for _, l := range r.Logins {
		if !l.OK {
			errs = append(errs, fmt.Errorf("login to Vault by %s, %s: %s", l.Method, l.Who, l.Outcome))
		}
	}
	if r.User != nil {
		for _, s := range r.User.Steps {
			if !s.OK {
				errs = append(errs, fmt.Errorf("database user %s: %s: %s", r.User.Name, s.What, s.Outcome))
			}
		}
	}
	return errors.Join(errs...)
}

// counts of the logins that were let in and that were refused, as they must.
func (r *Report) counts() (letIn, refused int) {
	for _, l := range r.Logins {
		switch {
		case l.OK && l.MustBeRefused:
			refused++
		case l.OK:
			letIn++
		}
	}
	return letIn, refused
}

// step notes what was seen.
func (u *User) step(begun time.Time, what, outcome string, ok bool) {
	now := time.Now()
	u.Steps = append(u.Steps, Step{
		What: what, At: now.Local().Format(time.TimeOnly), AfterSeconds: now.Sub(begun).Round(100 * time.Millisecond).Seconds(), OK: ok, Outcome: outcome,
	})
}
