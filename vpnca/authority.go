package vpnca

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// keyBits: Client VPN takes RSA keys of 1024 and 2048 bits and no others.
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/mutual.html
const keyBits = 2048

// attempts is how often a change begins again because somebody else was faster.
const attempts = 100

// Authority issues and revokes.
type Authority struct {
	// Certificate is the CA's.
	Certificate *x509.Certificate
	// Key signs for it. Nil: the authority only reads.
	Key crypto.Signer
	// Store keeps the index.
	Store Store
	// By says who acts, for the history: a user and a machine.
	By string
	// ServerName is the name in the endpoint's certificate, which no person may have.
	ServerName string
	// CRLLife is how long a revocation list is good. Default: [DefaultCRLLife].
	CRLLife time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// Tell, where not nil, is told what takes time.
	Tell func(message string)

	wait func(ctx context.Context, d time.Duration) error
	kill func(point string) // for tests: where a run can be killed
}

// Check refuses a CA with which nothing could be issued that an endpoint takes.
func (a *Authority) Check() error {
	switch c := a.Certificate; {
	case c == nil:
		return errors.New("the CA's certificate is missing")
	case !c.BasicConstraintsValid || !c.IsCA:
		return fmt.Errorf("the certificate of %q is not a CA's: give the certificate of the VPN's CA", c.Subject.CommonName)
	case c.KeyUsage&x509.KeyUsageCertSign == 0 || c.KeyUsage&x509.KeyUsageCRLSign == 0:
		return fmt.Errorf("the CA %q may not sign certificates and revocation lists: its key usage must have both", c.Subject.CommonName)
	case len(c.SubjectKeyId) == 0:
		return fmt.Errorf("the CA %q has no subject key identifier, by which its certificates and revocation lists name it", c.Subject.CommonName)
	}
	public, ok := a.Certificate.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() != keyBits {
		return fmt.Errorf("the CA %q has not an RSA key of %d bits, which AWS Client VPN needs", a.Certificate.Subject.CommonName, keyBits)
	}
	if a.Key != nil && !public.Equal(a.Key.Public()) {
		return fmt.Errorf("the CA's key is not the key of the CA certificate %q: give the key that belongs to it", a.Certificate.Subject.CommonName)
	}
	return nil
}

func (a *Authority) checkSigner() error {
	if err := a.Check(); err != nil {
		return err
	}
	if a.Key == nil {
		return fmt.Errorf("the key of the CA %q is not here: give it to sign with", a.Certificate.Subject.CommonName)
	}
	if a.now().After(a.Certificate.NotAfter) {
		return fmt.Errorf("the CA %q has run out on %s: replace it", a.Certificate.Subject.CommonName, day(a.Certificate.NotAfter))
	}
	return nil
}

// Index reads what was issued.
func (a *Authority) Index(ctx context.Context) (*Index, error) {
	data, _, err := a.Store.Load(ctx)
	if err != nil {
		return nil, err
	}
	return parseIndex(data, a.Store.String())
}

// errUnchanged is the error of a change that finds nothing to do.
var errUnchanged = errors.New("nothing to change")

// update changes the index. The change begins again on the newer index where
// somebody else was faster, so it must not keep anything of an earlier attempt.
func (a *Authority) update(ctx context.Context, change func(*Index) error) error {
	for attempt := 1; ; attempt++ {
		data, version, err := a.Store.Load(ctx)
		if err != nil {
			return err
		}
		index, err := parseIndex(data, a.Store.String())
		if err != nil {
			return err
		}
		if err := change(index); err != nil {
			if errors.Is(err, errUnchanged) {
				return nil
			}
			return err
		}
		if data, err = index.encode(); err != nil {
			return err
		}
		at(a.kill, "before the index")
		err = a.Store.Save(ctx, data, version)
		if err == nil {
			at(a.kill, "after the index")
			return nil
		}
		if !errors.Is(err, ErrChanged) || attempt == attempts {
			return err
		}
		// Spread out, so that many at once do not meet again and again.
		if err := a.pause(ctx, time.Duration(rand.Int64N(int64(min(attempt, 20))*int64(20*time.Millisecond)))); err != nil {
			return err
		}
	}
}

func (a *Authority) now() time.Time {
	now := time.Now
	if a.Now != nil {
		now = a.Now
	}
	return now().UTC().Truncate(time.Second) // certificates count whole seconds
}

func (a *Authority) pause(ctx context.Context, d time.Duration) error {
	if a.wait != nil {
		return a.wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (a *Authority) tell(format string, args ...any) {
	if a.Tell != nil {
		a.Tell(fmt.Sprintf(format, args...))
	}
}

func (a *Authority) event() Event { return Event{At: a.now(), By: a.By} }

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }
