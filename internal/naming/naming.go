// Package naming fits names into the length limits of AWS.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// hashLength is the number of hexadecimal digits that stand for what was cut:
// 28 bits, so that two names of one account meeting in it is not a concern.
const hashLength = 7

// Limit returns name when it has at most max bytes. A longer name is cut and
// ends in "-" and a hash of the whole name: two long names that differ only in
// their tail stay different, and the result is the same in every run.
//
// With max of less than 9 there is no room for a prefix and the result is the
// hash alone, cut to max; a max of 0 or less gives the empty string.
func Limit(name string, max int) string {
	if len(name) <= max {
		return name
	}
	if max <= 0 {
		return ""
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])[:hashLength]
	room := max - hashLength - 1
	if room < 1 {
		return hash[:min(max, hashLength)]
	}
	// "a--1234567" is refused where AWS allows no two hyphens in a row.
	return strings.TrimRight(name[:room], "-._") + "-" + hash
}
