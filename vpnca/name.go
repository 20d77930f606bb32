package vpnca

import (
	"fmt"
	"strings"
)

// maxName is the upper bound of a common name (RFC 5280, ub-common-name).
const maxName = 64

// CheckName says what is wrong with a person's name. A name is the common name of
// a certificate, part of a file's name and an argument of commands, so it holds
// lower-case letters, digits and ". _ @ -", and begins and ends with a letter or
// a digit.
func CheckName(name string) error {
	const form = "a name has 1 to 64 lower-case letters, digits or . _ @ - and begins and ends with a letter or a digit, such as \"alice\" or \"alice@example.com\""
	switch {
	case name == "":
		return fmt.Errorf("the name is empty: %s", form)
	case len(name) > maxName:
		return fmt.Errorf("the name %.20q... is %d characters long: %s", name, len(name), form)
	}
	for _, r := range name {
		if !plain(r) && !strings.ContainsRune("._@-", r) {
			return fmt.Errorf("the name %q has %q in it: %s", name, r, form)
		}
	}
	if !plain(rune(name[0])) || !plain(rune(name[len(name)-1])) || strings.Contains(name, "..") {
		return fmt.Errorf("the name %q could be taken for an option or a path: %s", name, form)
	}
	return nil
}

func plain(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }
