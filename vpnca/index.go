package vpnca

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"
)

// Format is the version of the index that this package writes, and the newest
// that it reads.
const Format = 1

// Index is everything that the authority has issued. Nothing is ever removed from
// it: it is the history, too.
type Index struct {
	Format int `json:"format"`
	// About tells people who open the file not to change it.
	About string `json:"about"`
	// Entries in the order in which they were issued.
	Entries []*Entry `json:"entries"`
	// CRL is the newest revocation list; nil before the first.
	CRL *CRL `json:"crl,omitempty"`
	// Imports says, by the endpoint's ID, which list the endpoint has.
	Imports map[string]*Import `json:"imports,omitempty"`
}

const about = "Certificates of the Client VPN. Change it with `strongroom vpn` only: each change belongs to a revocation list."

// Entry is one certificate.
type Entry struct {
	Name string `json:"name"`
	// Serial is the certificate's serial number in hexadecimal.
	Serial string    `json:"serial"`
	From   time.Time `json:"from"`
	Until  time.Time `json:"until"`
	// Authority is the fingerprint of the CA certificate that issued it.
	Authority   string `json:"authority"`
	Certificate string `json:"certificate"` // PEM
	Issued      Event  `json:"issued"`
	// Revoked, and why, where it is revoked.
	Revoked *Event `json:"revoked,omitempty"`
	Reason  Reason `json:"reason,omitempty"`
	// ReplacedBy is the serial number of the certificate that renewed this one.
	ReplacedBy string `json:"replacedBy,omitempty"`
}

// Event is when something was done and by whom.
type Event struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
}

// Import is the revocation list that an endpoint has.
type Import struct {
	// Number of the list; 0: none was imported yet.
	Number int64     `json:"number"`
	At     time.Time `json:"at,omitzero"`
	// Lease keeps others from importing at the same time, which could leave the
	// endpoint with the older list.
	Lease *Lease `json:"lease,omitempty"`
}

// Lease is held by the run that imports. It ends by itself when that run is
// killed.
type Lease struct {
	ID    string    `json:"id"`
	By    string    `json:"by"`
	Until time.Time `json:"until"`
}

// State is what a certificate is worth.
type State string

// The states of a certificate. A certificate that was renewed stays valid until it
// runs out or is revoked.
const (
	Valid   State = "valid"
	Expired State = "expired"
	Revoked State = "revoked"
	// Foreign: issued by a CA that was replaced since.
	Foreign State = "old CA"
)

// StateOf tells the state of an entry under a CA.
func (e *Entry) StateOf(ca *x509.Certificate, now time.Time) State {
	switch {
	case e.Revoked != nil:
		return Revoked
	case e.Authority != Fingerprint(ca):
		return Foreign
	case now.After(e.Until):
		return Expired
	}
	return Valid
}

// Named returns the entries of a person, the oldest first.
func (i *Index) Named(name string) []*Entry {
	var entries []*Entry
	for _, e := range i.Entries {
		if e.Name == name {
			entries = append(entries, e)
		}
	}
	return entries
}

// Current is the newest valid certificate of a person, or nil.
func (i *Index) Current(name string, ca *x509.Certificate, now time.Time) *Entry {
	var current *Entry
	for _, e := range i.Named(name) {
		if e.StateOf(ca, now) == Valid {
			current = e
		}
	}
	return current
}

// Fingerprint is the SHA-256 of a certificate, in hexadecimal.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

func newIndex() *Index { return &Index{Format: Format, About: about, Entries: []*Entry{}} }

// parseIndex reads an index and refuses one that this package could only damage.
func parseIndex(data []byte, where string) (*Index, error) {
	if len(data) == 0 {
		return newIndex(), nil
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("the index of certificates at %s is not JSON (%w): put its last good version back", where, err)
	}
	switch {
	case head.Format > Format:
		return nil, fmt.Errorf("the index of certificates at %s has format %d, and this strongroom knows formats up to %d: nothing was changed; use a newer strongroom",
			where, head.Format, Format)
	case head.Format < 1:
		return nil, fmt.Errorf("%s is not an index of certificates: it has no format: check the bucket and key, or the file", where)
	}
	var index Index
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields() // which would be lost when it is written
	if err := decoder.Decode(&index); err != nil {
		return nil, fmt.Errorf("the index of certificates at %s: %w: put its last good version back", where, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the index of certificates at %s has something after its end: put its last good version back", where)
	}
	if err := index.check(); err != nil {
		return nil, fmt.Errorf("the index of certificates at %s: %w: put its last good version back", where, err)
	}
	return &index, nil
}

// check compares what the entries say with their certificates.
func (i *Index) check() error {
	seen := map[string]bool{}
	for n, e := range i.Entries {
		if e == nil {
			return fmt.Errorf("entry %d is empty", n)
		}
		c, err := ParseCertificate([]byte(e.Certificate))
		if err != nil {
			return fmt.Errorf("entry %d (%s): %w", n, e.Name, err)
		}
		switch {
		case c.Subject.CommonName != e.Name:
			return fmt.Errorf("entry %d: the name is %q and its certificate's %q", n, e.Name, c.Subject.CommonName)
		case serialText(c.SerialNumber) != e.Serial:
			return fmt.Errorf("entry %d (%s): the serial number is %s and its certificate's %s", n, e.Name, e.Serial, serialText(c.SerialNumber))
		case !c.NotBefore.Equal(e.From) || !c.NotAfter.Equal(e.Until):
			return fmt.Errorf("entry %d (%s): its dates are not those of its certificate", n, e.Name)
		case seen[e.Serial]:
			return fmt.Errorf("entry %d (%s): the serial number %s is there twice", n, e.Name, e.Serial)
		}
		seen[e.Serial] = true
	}
	if i.CRL != nil {
		list, err := i.CRL.Parse()
		if err != nil {
			return err
		}
		if list.Number.Cmp(big.NewInt(i.CRL.Number)) != 0 {
			return fmt.Errorf("the revocation list's number is %s and the index says %d", list.Number, i.CRL.Number)
		}
	}
	return nil
}

func (i *Index) encode() ([]byte, error) {
	data, err := json.MarshalIndent(i, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode the index of certificates: %w", err)
	}
	return append(data, '\n'), nil
}

// ParseCertificate reads one certificate in PEM form.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(data)
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("expected one certificate in PEM form (-----BEGIN CERTIFICATE-----)")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	return c, nil
}

func serialText(n *big.Int) string { return strings.ToLower(n.Text(16)) }

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
