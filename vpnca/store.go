package vpnca

import (
	"context"
	"errors"
)

// ErrChanged is the error of [Store.Save] where somebody else has saved since the
// data was loaded.
var ErrChanged = errors.New("the index was changed by somebody else meanwhile")

// Store keeps the index in one durable place and never loses a change: of two
// saves on the same version one fails with [ErrChanged].
type Store interface {
	// Load returns what was saved last and its version. Both are empty where
	// nothing was saved yet.
	Load(ctx context.Context) (data []byte, version string, err error)
	// Save replaces that version; "": the first.
	Save(ctx context.Context, data []byte, version string) error
	// String says to people where it is.
	String() string
}
