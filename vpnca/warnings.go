package vpnca

import (
	"fmt"
	"time"
)

// When a warning begins. A revocation list is refreshed when RefreshWithin is
// left, so that a warning about one means that the refreshing does not work.
const (
	RefreshWithin = 60 * 24 * time.Hour

	crlWarning         = 30 * 24 * time.Hour
	certificateWarning = 30 * 24 * time.Hour
	authorityWarning   = 400 * 24 * time.Hour
)

// Warnings says what runs out soon and what the endpoint does not know yet, the
// most urgent first. endpointID may be "".
func (a *Authority) Warnings(index *Index, endpointID string) []string {
	var warnings []string
	now := a.now()
	add := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }

	crl := a.currentCRL(index)
	if endpointID != "" && !a.Published(index, endpointID) {
		add("the endpoint %s does not have revocation list %d, so that whoever was revoked last can still connect: run `strongroom vpn crl --import`", endpointID, crl.Number)
	}
	if crl != nil {
		switch left := crl.Until.Sub(now); {
		case left <= 0:
			add("revocation list %d ran out on %s, and the endpoint may refuse everybody: run `strongroom vpn crl --refresh`", crl.Number, day(crl.Until))
		case left < crlWarning:
			add("revocation list %d runs out on %s, in %s, and the endpoint may then refuse everybody: run `strongroom vpn crl --refresh`, and look why the scheduled job did not", crl.Number, day(crl.Until), days(left))
		}
	}
	switch left := a.Certificate.NotAfter.Sub(now); {
	case left <= 0:
		add("the CA %q ran out on %s: nobody can connect before it is replaced (docs/vpn.md)", a.Certificate.Subject.CommonName, day(a.Certificate.NotAfter))
	case left < authorityWarning:
		add("the CA %q runs out on %s, in %s: replace it before (docs/vpn.md)", a.Certificate.Subject.CommonName, day(a.Certificate.NotAfter), days(left))
	}
	for _, e := range index.Entries {
		left := e.Until.Sub(now)
		if e.StateOf(a.Certificate, now) == Valid && e.ReplacedBy == "" && left < certificateWarning {
			add("the certificate of %q runs out on %s, in %s: `strongroom vpn renew %s`", e.Name, day(e.Until), days(left), e.Name)
		}
	}
	return warnings
}

func days(d time.Duration) string {
	n := int(d.Hours() / 24)
	if n == 1 {
		return "1 day"
	}
	return fmt.Sprintf("%d days", n)
}
