package awsapi

import (
	"errors"
	"net/http"

	"github.com/strongroom-platform/strongroom/sandbox/account"
)

// OfAccount is an error of the account as a JSON service answers it; internal is that
// service's code for what is its own fault. Other errors stay as they are.
func OfAccount(err error, internal string) error {
	var answered *account.Error
	if !errors.As(err, &answered) {
		return err
	}
	status, code := http.StatusBadRequest, answered.Code
	if code == "InternalFailure" {
		status, code = http.StatusInternalServerError, internal
	}
	return &Error{Status: status, Code: code, Message: answered.Message}
}
