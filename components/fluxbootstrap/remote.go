package fluxbootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Remote is where a repository is.
type Remote struct {
	// User that ssh logs in as, "git" nearly everywhere.
	User string
	// Host without a port, Port as text, "22" when the URL has none.
	Host, Port string
}

// ParseURL takes a repository's URL apart. Flux reads over SSH here, with a key that
// can do nothing else: https would need a person's token.
func ParseURL(raw string) (Remote, error) {
	if raw == "" {
		return Remote{}, errors.New("is missing: give the repository's address such as \"ssh://git@github.com/example/strongroom.git\"")
	}
	if before, after, scp := strings.Cut(raw, ":"); scp && !strings.Contains(raw, "://") {
		return Remote{}, fmt.Errorf("%q is in scp's form, which Flux does not read: write \"ssh://%s/%s\"", raw, before, strings.TrimPrefix(after, "/"))
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		// The parser's own message repeats the URL, and with it a password.
		return Remote{}, errors.New("is no URL: use one such as \"ssh://git@github.com/example/strongroom.git\"")
	case u.Scheme == "https" || u.Scheme == "http":
		return Remote{}, fmt.Errorf("begins with %s://, but the repository is read over SSH with a deploy key: write \"ssh://git@%s%s\"", u.Scheme, u.Host, u.Path)
	case u.Scheme != "ssh":
		return Remote{}, fmt.Errorf("begins with %q: use ssh://", u.Scheme+"://")
	case u.Hostname() == "":
		return Remote{}, errors.New("has no host: use one such as \"ssh://git@github.com/example/strongroom.git\"")
	case u.User.Username() == "":
		return Remote{}, fmt.Errorf("has no user: write \"ssh://git@%s%s\"", u.Host, u.Path)
	case strings.Trim(u.Path, "/") == "":
		return Remote{}, errors.New("has no path: name the repository on the host")
	case u.RawQuery != "" || u.Fragment != "":
		return Remote{}, errors.New("has something after the path: leave it out")
	}
	if _, set := u.User.Password(); set {
		return Remote{}, errors.New("holds a password, which would stand in plain text in the cluster: leave it out, the key is enough")
	}
	port := u.Port()
	if port == "" {
		port = "22"
	}
	return Remote{User: u.User.Username(), Host: u.Hostname(), Port: port}, nil
}

// CheckKnownHosts reports whether lines of known_hosts know the host's key, so that a
// wrong or missing line is found here and not by the first reconciliation.
func CheckKnownHosts(lines string, remote Remote) error {
	address := knownhosts.Normalize(net.JoinHostPort(remote.Host, remote.Port))
	advice := fmt.Sprintf("take the lines from the host's own documentation and compare them with `ssh-keyscan -p %s %s`", remote.Port, remote.Host)
	if strings.TrimSpace(lines) == "" {
		return fmt.Errorf("is missing: the keys of %s must be pinned, %s", address, advice)
	}
	rest := []byte(lines)
	var others []string
	for len(bytes.TrimSpace(rest)) > 0 {
		marker, hosts, key, _, next, err := ssh.ParseKnownHosts(rest)
		if err != nil {
			return fmt.Errorf("has a line that is none of known_hosts: %s", advice)
		}
		rest = next
		if marker != "" || key == nil {
			continue // a revoked key or a certificate authority, which Flux does not take
		}
		for _, host := range hosts {
			if knows(host, address) {
				return nil
			}
			others = append(others, host)
		}
	}
	return fmt.Errorf("does not know %s, only %s: %s", address, strings.Join(others, ", "), advice)
}

// knows reports whether a host of a line is address, in plain or hashed form. Patterns
// are not taken: a pin is for one host.
func knows(host, address string) bool {
	if !strings.HasPrefix(host, "|1|") {
		return knownhosts.Normalize(host) == address
	}
	return hashedAs(host, address)
}

// CheckPrivateKey reports a key that Flux could not use: it has nobody to ask for a
// passphrase. The message never holds any of the key.
func CheckPrivateKey(text string) error {
	_, err := ssh.ParseRawPrivateKey([]byte(text))
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		return errors.New("has a passphrase, and Flux has nobody to ask for it: make one without (`ssh-keygen -t ed25519 -N '' -f deploy`), or leave it out and one is made")
	case err != nil:
		return errors.New("is no private key in PEM or OpenSSH form: give the text of the file that ssh-keygen wrote without .pub, or leave it out and one is made")
	}
	return nil
}
