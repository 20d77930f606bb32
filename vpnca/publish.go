package vpnca

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// lease is how long one run may take to import; what is left of it when the
// request must have been answered is margin.
const (
	lease  = 60 * time.Second
	margin = 15 * time.Second
)

// Endpoint is a Client VPN endpoint that takes revocation lists.
type Endpoint interface {
	// ID such as "cvpn-endpoint-0123456789abcdef0".
	ID() string
	// ImportCRL replaces the endpoint's list, which also ends the sessions that are
	// open.
	// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportClientVpnClientCertificateRevocationList.html
	ImportCRL(ctx context.Context, pem string) error
}

// Publish brings the newest revocation list to the endpoint and records that the
// endpoint has it. One run imports at a time: of two that imported at once, the
// one with the older list could be the last. It returns the list, and whether the
// endpoint got it now or had it; nil where nothing was ever revoked.
func (a *Authority) Publish(ctx context.Context, endpoint Endpoint) (crl *CRL, imported bool, err error) {
	if err := a.Check(); err != nil {
		return nil, false, err
	}
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return nil, false, fmt.Errorf("draw an ID: %w", err)
	}
	mine := hex.EncodeToString(id)
	for {
		crl, err := a.takeLease(ctx, endpoint, mine)
		if err != nil {
			return nil, imported, err
		}
		if crl == nil { // nothing to do any more
			index, err := a.Index(ctx)
			if err != nil {
				return nil, imported, err
			}
			return a.currentCRL(index), imported, nil
		}
		limited, cancel := context.WithTimeout(ctx, lease-margin)
		err = endpoint.ImportCRL(limited, crl.PEM)
		cancel()
		at(a.kill, "after the import")
		if err != nil {
			// The lease would end by itself; giving it back only saves others the wait.
			// Whether that works changes nothing about the failure.
			gaveBack := a.update(context.WithoutCancel(ctx), func(index *Index) error {
				return endLease(index, endpoint, mine, func(*Import) {})
			})
			return nil, imported, errors.Join(fmt.Errorf(
				"the endpoint %s did not take revocation list %d, so that whoever was revoked since its last list can still connect: %w\nRun `strongroom vpn crl --import` until it does",
				endpoint.ID(), crl.Number, err), gaveBack)
		}
		imported = true
		if err := a.update(ctx, func(index *Index) error {
			return endLease(index, endpoint, mine, func(i *Import) { i.Number, i.At = crl.Number, a.now() })
		}); err != nil {
			return nil, imported, err
		}
	}
}

// takeLease waits for its turn and returns the list to import, or nil where the
// endpoint has the newest.
func (a *Authority) takeLease(ctx context.Context, endpoint Endpoint, mine string) (*CRL, error) {
	told := false
	for {
		var crl *CRL
		var held *Lease
		err := a.update(ctx, func(index *Index) error {
			crl, held = a.currentCRL(index), nil
			i := index.Imports[endpoint.ID()]
			if i == nil {
				i = &Import{}
			}
			if crl == nil || i.Number == crl.Number && i.Lease == nil {
				crl = nil
				return errUnchanged
			}
			if i.Lease != nil && i.Lease.ID != mine && a.now().Before(i.Lease.Until) {
				held = i.Lease
				return errUnchanged
			}
			i.Lease = &Lease{ID: mine, By: a.By, Until: a.now().Add(lease)}
			if index.Imports == nil {
				index.Imports = map[string]*Import{}
			}
			index.Imports[endpoint.ID()] = i
			return nil
		})
		if err != nil || held == nil {
			return crl, err
		}
		if !told {
			a.tell("waiting for %s, who imports a revocation list, until %s at the latest", held.By, held.Until.Format("15:04:05 UTC"))
			told = true
		}
		if err := a.pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
}

// endLease gives the lease back if it is still held.
func endLease(index *Index, endpoint Endpoint, mine string, record func(*Import)) error {
	i := index.Imports[endpoint.ID()]
	if i == nil || i.Lease == nil || i.Lease.ID != mine {
		// Somebody took it over, and imports the newest list in turn.
		return errUnchanged
	}
	i.Lease = nil
	record(i)
	return nil
}

// Published reports whether the endpoint has the newest list. It has what it needs
// where nothing was ever revoked.
func (a *Authority) Published(index *Index, endpointID string) bool {
	crl := a.currentCRL(index)
	if crl == nil {
		return true
	}
	i := index.Imports[endpointID]
	return i != nil && i.Number == crl.Number && i.Lease == nil
}
