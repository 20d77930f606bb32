// Package okta stands in for github.com/okta/okta-sdk-golang/v5/okta, which is a tenth of
// the whole compilation of Vault, for a second factor with Okta's push messages. Whoever
// sets one up is told at the login, by NewConfiguration; the rest is what Vault compiles
// against.
package okta

import (
	"context"
	"errors"
	"net/http"
)

var errLeftOut = errors.New("a second factor with Okta is left out of this build of Vault (tools/vault/without/okta-sdk-golang)")

// Configuration would say where Okta is.
type Configuration struct{ Context context.Context }

// ConfigSetter sets nothing.
type ConfigSetter func()

// WithToken is without effect.
func WithToken(string) ConfigSetter { return nil }

// WithOrgUrl is without effect.
func WithOrgUrl(string) ConfigSetter { return nil }

// WithCache is without effect.
func WithCache(bool) ConfigSetter { return nil }

// NewConfiguration fails: nothing below is reached.
func NewConfiguration(...ConfigSetter) (*Configuration, error) { return nil, errLeftOut }

// APIClient would be Okta's API.
type APIClient struct {
	UserAPI       users
	UserFactorAPI factors
}

// NewAPIClient returns an API whose every call fails.
func NewAPIClient(*Configuration) *APIClient { return &APIClient{} }

// GetConfig returns an empty one.
func (*APIClient) GetConfig() *Configuration { return &Configuration{} }

type users struct{}

func (users) ListUsers(context.Context) call[[]User] { return call[[]User]{} }

type factors struct{}

func (factors) ListFactors(context.Context, string) call[[]Factor] { return call[[]Factor]{} }

func (factors) VerifyFactor(context.Context, string, string) call[*Verification] {
	return call[*Verification]{}
}

func (factors) GetFactorTransactionStatus(context.Context, string, string, string) call[*Transaction] {
	return call[*Transaction]{}
}

type call[T any] struct{}

func (c call[T]) Filter(string) call[T] { return c }

func (call[T]) Execute() (answer T, response *http.Response, err error) {
	return answer, nil, errLeftOut
}

type identified struct{}

func (identified) GetId() string { return "" }

// User would be a person.
type User struct{ identified }

// Factor would be a second factor of one.
type Factor struct{ UserFactorPush *UserFactorPush }

// UserFactorPush would be one with push messages.
type UserFactorPush struct{ identified }

// Verification would be what Okta makes of it.
type Verification struct{ Links any }

// GetFactorResult is no state that there is.
func (*Verification) GetFactorResult() string { return "" }

// Transaction would be how far a person is with it.
type Transaction struct {
	UserFactorPushTransaction, UserFactorPushTransactionWaiting,
	UserFactorPushTransactionRejected, UserFactorPushTransactionTimeout *struct{}
}
