package sigv4

import "net/http"

// Error is an error as AWS answers it.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Code is AWS's error code, such as "SignatureDoesNotMatch".
	Code    string
	Message string
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

func signatureMismatch(message string) error {
	return &Error{http.StatusForbidden, "SignatureDoesNotMatch", message}
}

func incomplete(message string) error {
	return &Error{http.StatusBadRequest, "IncompleteSignature", message}
}
