// Package vaultaccess reaches Vault from where strongroom runs: it waits until Vault is
// initialised and unsealed, opens a way to it, and logs in as the provisioner with a
// token of the cluster that is good for minutes. There is no root token in it, and none
// that is kept.
//
// What the first start leaves in Vault (the mount, the role and the service account
// named below) is written in gitops/infrastructure/configs/vault-init.
package vaultaccess

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/vault/api"
)

const (
	// Namespace is where Vault's pods are.
	Namespace = "vault"
	// ServiceAccount logs in to Vault, by tokens that are made for Audience.
	ServiceAccount = "vault-provisioner"
	Audience       = "vault"
	// Mount and Role are where it logs in and as what.
	Mount = "provisioner"
	Role  = "provisioner"
	// Port is where Vault's servers listen.
	Port = 8200
)

// Mode is how Vault is reached.
type Mode string

const (
	// Tunnel goes through the API of the cluster, to the pod that is active.
	Tunnel Mode = "tunnel"
	// Direct goes to the private address, from inside of the VPC or over the VPN.
	Direct Mode = "direct"
)

// DefaultLimit is how long Open and Login wait: a cluster's first nodes, Flux's charts
// and the first start all come before.
const DefaultLimit = 30 * time.Minute

// requestTimeout is how long one request may take; the ones that make Vault ask a
// cluster or a database take longest.
const requestTimeout = 60 * time.Second

// Args say which Vault is meant and how it is reached.
type Args struct {
	// Mode is Tunnel by default.
	Mode Mode
	// Cluster is the one that Vault runs in. See Connect.
	Cluster *Cluster
	// Address of Vault, such as "https://vault.tooling.internal:8200". Only for Direct.
	Address string
	// ServerName is what the servers' certificates are verified for.
	ServerName string
	// CA is the platform's, in PEM. Nothing else is trusted.
	CA string
	// LocalPort on loopback, where the tunnel begins. 0: any that is free.
	LocalPort int
	// Limit of Open and of Login, each. Default: DefaultLimit.
	Limit time.Duration
	// Progress receives what is waited for, a line at a time. Nil: nobody is told.
	Progress func(string)

	pause time.Duration
}

// Access is an open way to Vault.
type Access struct {
	// Address is where Vault answers now: on loopback, where there is a tunnel.
	Address string

	args   Args
	roots  *x509.CertPool
	tunnel *Forwarder
	lent   *lent
}

// Open waits until Vault is initialised and unsealed and opens the way to it. Close
// ends it.
func Open(ctx context.Context, args Args) (*Access, error) {
	a, err := prepare(args)
	if err != nil {
		return nil, err
	}
	if a.args.Mode == Direct {
		a.Address = args.Address
		return a, a.await(ctx, "Vault at "+args.Address+" is initialised and unsealed", a.answering)
	}
	// The port first: that it is taken must not show after minutes of waiting.
	listener, err := listen(ctx, a.args.LocalPort)
	if err != nil {
		return nil, err
	}
	var first *link
	err = a.await(ctx, "Vault is initialised and unsealed", func(ctx context.Context) error {
		var err error
		first, err = a.active(ctx)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	a.tunnel = forward(listener, first, a.active)
	a.Address = "https://" + listener.Addr().String()
	return a, nil
}

func prepare(args Args) (*Access, error) {
	if args.Mode == "" {
		args.Mode = Tunnel
	}
	if args.Limit == 0 {
		args.Limit = DefaultLimit
	}
	if args.pause == 0 {
		args.pause = time.Second
	}
	switch {
	case args.Cluster == nil:
		return nil, errors.New("way to Vault: the cluster that it runs in is not given")
	case args.ServerName == "":
		return nil, errors.New("way to Vault: the name in its certificate is not given")
	case args.Mode != Tunnel && args.Mode != Direct:
		return nil, fmt.Errorf("way to Vault: %q is none: expected %q or %q", args.Mode, Tunnel, Direct)
	case args.Mode == Direct && args.Address == "":
		return nil, errors.New("way to Vault: its address is not given")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(args.CA)) {
		return nil, errors.New("way to Vault: the platform's CA is no certificate in PEM")
	}
	return &Access{args: args, roots: roots}, nil
}

// Close revokes and removes what was lent and ends the tunnel.
func (a *Access) Close() error {
	err := a.takeBack()
	if a.tunnel != nil {
		err = errors.Join(err, a.tunnel.Close())
	}
	return err
}

// Client speaks to Vault and is not logged in. Nothing of the environment (VAULT_ADDR,
// VAULT_TOKEN, VAULT_SKIP_VERIFY) has a say in it.
func (a *Access) Client() (*api.Client, error) {
	client, err := api.NewClient(&api.Config{
		Address: a.Address,
		Timeout: requestTimeout,
		HttpClient: &http.Client{
			Transport: a.transport(nil),
			// Vault's client follows redirects itself, once.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	if err != nil {
		return nil, fmt.Errorf("client of Vault at %s: %w", a.Address, err)
	}
	client.ClearToken()
	client.ClearNamespace()
	return client, nil
}

// transport verifies Vault by the platform's CA and its name, whatever way there is.
func (a *Access) transport(dial func(context.Context, string, string) (net.Conn, error)) *http.Transport {
	return &http.Transport{
		DialContext:         dial,
		TLSHandshakeTimeout: 10 * time.Second,
		IdleConnTimeout:     90 * time.Second,
		TLSClientConfig: &tls.Config{
			RootCAs: a.roots, ServerName: a.args.ServerName, MinVersion: tls.VersionTLS12,
		},
	}
}

// listen takes the port on loopback, in the family that every machine has.
func listen(ctx context.Context, port int) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("way to Vault: port %d on loopback: %w: another run may have it, "+
			"or choose another in strongroom:vault.access.port", port, err)
	}
	return listener, nil
}
