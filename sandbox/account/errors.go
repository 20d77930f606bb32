package account

import (
	"errors"
	"fmt"
)

// ErrNotFound matches, with errors.Is, every error that says an object does
// not exist.
var ErrNotFound = errors.New("not found")

// Error is an error as an AWS API answers it.
type Error struct {
	Code    string `json:"code"` // AWS's own, such as "DependencyViolation"
	Message string `json:"message"`
	// NotFound says that the object asked for does not exist.
	NotFound bool `json:"notFound,omitempty"`
	// Retryable says that the same call may succeed later, as with throttling.
	Retryable bool `json:"retryable,omitempty"`
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Is makes errors.Is(err, ErrNotFound) work.
func (e *Error) Is(target error) bool { return target == ErrNotFound && e.NotFound }

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

func notFound(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), NotFound: true}
}

// missingReference is a reference to something that does not exist. Unlike
// notFound it is not about the object that the call is about, so a caller that
// deletes must not take it for "already gone".
func missingReference(code, format string, args ...any) *Error {
	return refuse(code, format, args...)
}
