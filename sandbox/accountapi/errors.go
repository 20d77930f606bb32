package accountapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// failure is an error on its way to the client.
type failure struct {
	// Text is the whole error's.
	Text string `json:"text"`
	// Account is the account's own error, where there is one in it.
	Account *account.Error `json:"account,omitempty"`
	// Canceled: the operation was told to stop and has had no effect.
	Canceled bool `json:"canceled,omitempty"`
}

// remoteError is a failure at the client.
type remoteError struct {
	text  string
	cause error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.cause }

func failureOf(err error) failure {
	f := failure{Text: err.Error()}
	if errors.As(err, &f.Account) {
		return f
	}
	f.Canceled = errors.Is(err, context.Canceled)
	return f
}

// status tells people who look at the traffic; the client reads the body.
func (f failure) status() int {
	switch {
	case f.Account == nil && f.Canceled:
		return http.StatusConflict
	case f.Account == nil:
		return http.StatusInternalServerError
	case f.Account.NotFound:
		return http.StatusNotFound
	case f.Account.Retryable:
		return http.StatusTooManyRequests
	}
	return http.StatusBadRequest
}

func (f failure) err() error {
	switch {
	case f.Account != nil && f.Text == f.Account.Error():
		return f.Account
	case f.Account != nil:
		return &remoteError{f.Text, f.Account}
	case f.Canceled:
		return &remoteError{f.Text, context.Canceled}
	}
	return errors.New(f.Text)
}

func readFailure(status string, body []byte) error {
	var f failure
	if err := json.Unmarshal(body, &f); err != nil || f.Text == "" {
		return errors.New("the sandbox's daemon answered " + status)
	}
	return f.err()
}
