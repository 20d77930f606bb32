package vpnca

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// DefaultValidity of a person's certificate.
const DefaultValidity = 365 * 24 * time.Hour

// backdate lets an endpoint whose clock is a little behind take a certificate at
// once.
const backdate = 5 * time.Minute

// Issue signs a request for a person who has no valid certificate. Asked again
// with the same key it returns the certificate that is there, so that a run that
// was killed can be finished. validity 0 means [DefaultValidity].
func (a *Authority) Issue(ctx context.Context, request *x509.CertificateRequest, validity time.Duration) (*Entry, error) {
	return a.sign(ctx, request, validity, func(index *Index, name string) ([]*Entry, error) {
		if e := index.Current(name, a.Certificate, a.now()); e != nil {
			return nil, fmt.Errorf("%w: %q has certificate %s, valid until %s: renew it (`strongroom vpn renew %s`), or revoke it first",
				ErrIssued, name, e.Serial, day(e.Until), name)
		}
		return nil, nil
	})
}

// Renew signs a request for a person who has a certificate already, valid or run
// out. The earlier ones stay valid until they run out, so that the person is not
// locked out before the new profile arrives, or are revoked at once. After a
// revocation the new list has to be imported: see [Authority.Publish].
func (a *Authority) Renew(ctx context.Context, request *x509.CertificateRequest, validity time.Duration, revokeEarlier bool) (*Entry, error) {
	entry, err := a.sign(ctx, request, validity, func(index *Index, name string) ([]*Entry, error) {
		var earlier []*Entry
		for _, e := range index.Named(name) {
			if state := e.StateOf(a.Certificate, a.now()); state == Valid || state == Expired {
				earlier = append(earlier, e)
			}
		}
		if len(earlier) == 0 {
			return nil, fmt.Errorf("%w: %q has no certificate to renew: issue one (`strongroom vpn issue %s`)", ErrUnknown, name, name)
		}
		return earlier, nil
	})
	if err != nil || !revokeEarlier {
		return entry, err
	}
	return entry, a.update(ctx, func(index *Index) error {
		return a.revokeEntries(index, Superseded, func(e *Entry) bool { return e.Name == entry.Name && e.Serial != entry.Serial })
	})
}

// sign puts a certificate for the request's key into the index, unless one is
// there. precondition returns the entries that it replaces.
func (a *Authority) sign(ctx context.Context, request *x509.CertificateRequest, validity time.Duration,
	precondition func(*Index, string) ([]*Entry, error),
) (*Entry, error) {
	if err := a.checkSigner(); err != nil {
		return nil, err
	}
	name, public, err := a.checkRequest(request)
	if err != nil {
		return nil, err
	}
	if err := a.checkValidity(validity); err != nil {
		return nil, err
	}
	var entry *Entry
	err = a.update(ctx, func(index *Index) error {
		entry = nil
		for _, e := range index.Entries {
			c, err := ParseCertificate([]byte(e.Certificate))
			if err != nil {
				return err
			}
			if !public.Equal(c.PublicKey) {
				continue
			}
			if e.Name != name || e.StateOf(a.Certificate, a.now()) != Valid {
				return fmt.Errorf("the key of this request was used for certificate %s of %q already: make a new key", e.Serial, e.Name)
			}
			entry = e
			return errUnchanged
		}
		replaced, err := precondition(index, name)
		if err != nil {
			return err
		}
		if entry, err = a.certify(name, public, orDefault(validity)); err != nil {
			return err
		}
		for _, e := range replaced {
			if e.ReplacedBy == "" {
				e.ReplacedBy = entry.Serial
			}
		}
		index.Entries = append(index.Entries, entry)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// checkRequest returns whom the request is for and the key.
func (a *Authority) checkRequest(request *x509.CertificateRequest) (string, *rsa.PublicKey, error) {
	name := request.Subject.CommonName
	if err := a.checkName(name); err != nil {
		return "", nil, err
	}
	if err := request.CheckSignature(); err != nil {
		return "", nil, fmt.Errorf("the request of %q is not signed by its own key: make it again: %w", name, err)
	}
	public, ok := request.PublicKey.(*rsa.PublicKey)
	if !ok || public.N.BitLen() != keyBits {
		return "", nil, fmt.Errorf("the request of %q has not an RSA key of %d bits, which AWS Client VPN needs: make it again", name, keyBits)
	}
	return name, public, nil
}

func (a *Authority) checkName(name string) error {
	if name != "" && name == a.ServerName {
		return fmt.Errorf("the name %q is the endpoint's own, and whoever had it could pose as the endpoint: choose another", name)
	}
	return CheckName(name)
}

func orDefault(validity time.Duration) time.Duration {
	if validity == 0 {
		return DefaultValidity
	}
	return validity
}

func (a *Authority) checkValidity(validity time.Duration) error {
	validity = orDefault(validity)
	if validity < time.Hour {
		return fmt.Errorf("a certificate must be valid for an hour at least, not %s", validity)
	}
	until := a.now().Add(validity)
	if until.After(a.Certificate.NotAfter) {
		return fmt.Errorf("the CA %q runs out on %s, before the certificate would on %s: ask for %d days at most, or replace the CA",
			a.Certificate.Subject.CommonName, day(a.Certificate.NotAfter), day(until), int(a.Certificate.NotAfter.Sub(a.now()).Hours()/24))
	}
	return nil
}

// certify signs a client's certificate.
func (a *Authority) certify(name string, public *rsa.PublicKey, validity time.Duration) (*Entry, error) {
	// 127 random bits: positive, not guessed, and never drawn twice.
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("read the key of %q: %w", name, err)
	}
	keyID := sha256.Sum256(der)
	now := a.now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    latest(now.Add(-backdate), a.Certificate.NotBefore),
		NotAfter:     now.Add(validity),
		// An OpenVPN server wants both (remote-cert-tls client).
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		BasicConstraintsValid: true,
		SubjectKeyId:          keyID[:20], // RFC 7093, method 1
		SignatureAlgorithm:    x509.SHA256WithRSA,
	}
	der, err = x509.CreateCertificate(rand.Reader, template, a.Certificate, public, a.Key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate of %q: %w", name, err)
	}
	return &Entry{
		Name: name, Serial: serialText(serial), From: template.NotBefore, Until: template.NotAfter,
		Authority: Fingerprint(a.Certificate), Certificate: certificatePEM(der), Issued: a.event(),
	}, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// NewKey makes a person's key and the request for it.
func NewKey(name string) (*rsa.PrivateKey, *x509.CertificateRequest, error) {
	if err := CheckName(name); err != nil {
		return nil, nil, err
	}
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of %q: %w", name, err)
	}
	request, err := newRequest(name, key)
	return key, request, err
}

func newRequest(name string, key crypto.Signer) (*x509.CertificateRequest, error) {
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key)
	if err != nil {
		return nil, fmt.Errorf("make the request of %q: %w", name, err)
	}
	return x509.ParseCertificateRequest(der)
}
