package vpnca

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// DefaultCRLLife is how long a revocation list is good. A list that has run out
// locks everybody out, so it is long, and renewed when a third of it is left.
const DefaultCRLLife = 180 * 24 * time.Hour

// CRL is a signed revocation list.
type CRL struct {
	// Number grows by one with each list.
	Number int64 `json:"number"`
	// Authority is the fingerprint of the CA that signed it.
	Authority string    `json:"authority"`
	From      time.Time `json:"from"`
	// Until is when the next list must be there.
	Until time.Time `json:"until"`
	PEM   string    `json:"pem"`
	// Signed says by whom and when.
	Signed Event `json:"signed"`
}

// Parse reads the list.
func (c *CRL) Parse() (*x509.RevocationList, error) {
	block, rest := pem.Decode([]byte(c.PEM))
	if block == nil || block.Type != "X509 CRL" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("the revocation list is not one in PEM form (-----BEGIN X509 CRL-----)")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the revocation list: %w", err)
	}
	return list, nil
}

// RefreshCRL signs the revocation list anew if it runs out within the given time
// or there is none of this CA, and returns the newest one.
func (a *Authority) RefreshCRL(ctx context.Context, within time.Duration) (*CRL, error) {
	if err := a.checkSigner(); err != nil {
		return nil, err
	}
	var crl *CRL
	err := a.update(ctx, func(index *Index) error {
		if crl = a.currentCRL(index); crl != nil && crl.Until.Sub(a.now()) > within {
			return errUnchanged
		}
		if err := a.signCRL(index); err != nil {
			return err
		}
		crl = index.CRL
		return nil
	})
	if err != nil {
		return nil, err
	}
	return crl, nil
}

// currentCRL is the newest list if this CA signed it.
func (a *Authority) currentCRL(index *Index) *CRL {
	if index.CRL == nil || index.CRL.Authority != Fingerprint(a.Certificate) {
		return nil
	}
	return index.CRL
}

// signCRL puts a list of what is revoked now into the index.
func (a *Authority) signCRL(index *Index) error {
	life := a.CRLLife
	if life == 0 {
		life = DefaultCRLLife
	}
	now := a.now()
	number := int64(1)
	var before time.Time
	if index.CRL != nil {
		number = index.CRL.Number + 1
		if previous := a.currentCRL(index); previous != nil {
			before = previous.From
		}
	}
	template := &x509.RevocationList{
		Number: big.NewInt(number), ThisUpdate: now, NextUpdate: now.Add(life), SignatureAlgorithm: x509.SHA256WithRSA,
	}
	// After the CA nobody can sign the next list, so none may promise it.
	if template.NextUpdate.After(a.Certificate.NotAfter) {
		template.NextUpdate = a.Certificate.NotAfter
	}
	for _, e := range index.Entries {
		// A certificate that has run out leaves the list only after one list that
		// was made since then had it (RFC 5280 section 3.3).
		if e.Revoked == nil || e.Authority != Fingerprint(a.Certificate) || e.Until.Before(before) {
			continue
		}
		serial, ok := new(big.Int).SetString(e.Serial, 16)
		if !ok {
			return fmt.Errorf("the serial number %q of %q is not hexadecimal", e.Serial, e.Name)
		}
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: e.Revoked.At, ReasonCode: reasonCodes[e.Reason]})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.Certificate, a.Key)
	if err != nil {
		return fmt.Errorf("sign the revocation list: %w", err)
	}
	index.CRL = &CRL{
		Number: number, Authority: Fingerprint(a.Certificate), From: now, Until: template.NextUpdate,
		PEM: string(pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})), Signed: a.event(),
	}
	return nil
}
