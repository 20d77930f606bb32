// Package discover stands in for github.com/hashicorp/go-discover, with which Vault
// finds servers through the APIs of sixteen clouds (auto_join in retry_join). Those are
// a fifth of the whole compilation of Vault, and the platform names its servers
// (leader_api_addr). A configuration with auto_join is refused.
package discover

import (
	"errors"
	"log"
)

var errLeftOut = errors.New("auto_join is left out of this build of Vault (tools/vault/without/go-discover): name each server in a retry_join with leader_api_addr")

// Provider would find the servers in one cloud.
type Provider any

// Providers is empty.
var Providers map[string]Provider

// Config would be what auto_join says.
type Config map[string]string

// Parse refuses it.
func Parse(string) (Config, error) { return nil, errLeftOut }

// String is never reached, because Parse refuses.
func (Config) String() string { return "" }

// Discover finds no servers.
type Discover struct{}

// Option of New, without effect.
type Option func()

// WithProviders is an Option.
func WithProviders(map[string]Provider) Option { return func() {} }

// New never fails: Vault makes one whether auto_join is used or not.
func New(...Option) (*Discover, error) { return &Discover{}, nil }

// Addrs refuses what came past Parse, by the API of raft's join.
func (*Discover) Addrs(string, *log.Logger) ([]string, error) { return nil, errLeftOut }
