package vpnca

import "errors"

// What a request for a certificate or a revocation can run into. The messages of
// the errors that wrap them say what to do.
var (
	// ErrIssued: the person has a valid certificate.
	ErrIssued = errors.New("already issued")
	// ErrUnknown: the person has none.
	ErrUnknown = errors.New("unknown")
	// ErrRevoked: every certificate of the person is revoked, and the endpoint knows.
	ErrRevoked = errors.New("already revoked")
	// ErrExists: the profile's file is there already.
	ErrExists = errors.New("file exists")
)
