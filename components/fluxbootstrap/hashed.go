package fluxbootstrap

import (
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- the only hash that known_hosts has
	"encoding/base64"
	"strings"
)

// hashedAs reports whether a host of known_hosts in the form |1|salt|hash stands for
// address. See HashKnownHosts in ssh_config(5).
func hashedAs(host, address string) bool {
	parts := strings.Split(host, "|")
	if len(parts) != 4 {
		return false
	}
	salt, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	hash, err := base64.StdEncoding.DecodeString(parts[3])
	if err != nil {
		return false
	}
	mac := hmac.New(sha1.New, salt)
	mac.Write([]byte(address))
	return hmac.Equal(mac.Sum(nil), hash)
}
