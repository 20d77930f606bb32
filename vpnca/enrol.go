package vpnca

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Enrolment is a person's way to a profile, on the machine where the key is made.
type Enrolment struct {
	Name string
	// File is the profile to write. It must not exist.
	File   string
	Remote Remote
	// Passphrase encrypts the key; nil: it is not encrypted.
	Passphrase []byte
	// Validity of the certificate; 0: [DefaultValidity].
	Validity time.Duration
	// Renew replaces a certificate instead of issuing the first; RevokeEarlier then
	// revokes the earlier ones at once.
	Renew, RevokeEarlier bool
}

// Enrol makes a key, has it certified and writes the profile with both.
//
// The key waits in a file beside the profile (<file>.pending, for the owner's eyes
// only) until the profile is there. Where a run was killed, the same call goes on
// with that key, so that no certificate is left without one.
func (a *Authority) Enrol(ctx context.Context, e Enrolment) (entry *Entry, err error) {
	if err := a.checkSigner(); err != nil {
		return nil, err
	}
	if err := errors.Join(a.checkName(e.Name), CheckPassphrase(e.Passphrase), e.Remote.check(), a.checkValidity(e.Validity)); err != nil {
		return nil, err
	}
	wait, err := openPending(e.File, e.Name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, wait.close()) }()
	if wait.request == nil {
		if err := wait.fill(e.Name, e.Passphrase); err != nil {
			return nil, errors.Join(err, wait.remove())
		}
		at(a.kill, "key made")
	} else if err := wait.reopen(e.Passphrase); err != nil {
		return nil, err
	}
	if e.Renew {
		entry, err = a.Renew(ctx, wait.request, e.Validity, e.RevokeEarlier)
	} else {
		entry, err = a.Issue(ctx, wait.request, e.Validity)
	}
	if err != nil {
		// A refused key is worth nothing. Where it is not known whether it was certified,
		// it waits.
		if (errors.Is(err, ErrIssued) || errors.Is(err, ErrUnknown)) && a.uncertified(ctx, wait.request) {
			err = errors.Join(err, wait.remove())
		}
		return nil, err
	}
	profile := Profile{Remote: e.Remote, CA: a.Certificate, Entry: entry, Key: wait.key}
	text, err := profile.Render()
	if err != nil {
		return nil, err
	}
	if err := writeProfile(e.File, text, a.kill); err != nil {
		return nil, err
	}
	at(a.kill, "profile written")
	return entry, wait.remove()
}

// uncertified: the index was read, and no certificate has the key.
func (a *Authority) uncertified(ctx context.Context, request *x509.CertificateRequest) bool {
	index, err := a.Index(context.WithoutCancel(ctx))
	if err != nil {
		return false
	}
	for _, e := range index.Entries {
		c, err := ParseCertificate([]byte(e.Certificate))
		if err != nil || request.PublicKey.(*rsa.PublicKey).Equal(c.PublicKey) {
			return false
		}
	}
	return true
}

// writeProfile puts the profile at its place whole or not at all, and never over
// a file that is there, unless an earlier run had written this very profile.
func writeProfile(file string, text []byte, kill func(string)) error {
	unfinished := file + ".new"
	if err := os.Remove(unfinished); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("write the profile: %w", err)
	}
	if err := writeNew(unfinished, text); err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	at(kill, "profile written beside")
	// A link, unlike a rename, never replaces what is there.
	err := os.Link(unfinished, file)
	if errors.Is(err, fs.ErrExist) {
		if there, readErr := os.ReadFile(file); readErr == nil && string(there) == string(text) {
			err = nil
		} else {
			err = existsError(file)
		}
	} else if err != nil {
		// Some file systems of memory sticks have no links.
		err = writeNew(file, text)
	}
	if err != nil {
		return errors.Join(err, os.Remove(unfinished))
	}
	if err := os.Remove(unfinished); err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	return syncDir(filepath.Dir(file))
}

func existsError(file string) error {
	return fmt.Errorf("%w: %s: a profile is never written over another file: move it away, or choose another file with --out", ErrExists, file)
}

// pending is the file in which a key waits for its certificate: the request, which
// says whose it is and has the public key, then the key.
type pending struct {
	path, name string
	file       *os.File
	request    *x509.CertificateRequest
	key        []byte // PEM, as it goes into the profile
}

// openPending opens or makes the file and holds it, so that two runs for the same
// profile do not mix.
func openPending(profile, name string) (*pending, error) {
	path := profile + ".pending"
	for {
		p := &pending{path: path, name: name}
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			// Nothing waits, so a profile that is there is somebody's.
			if _, err := os.Lstat(profile); err == nil {
				return nil, existsError(profile)
			}
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
		if err != nil {
			return nil, fmt.Errorf("make a file for the key: %w", err)
		}
		p.file = file
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			return nil, errors.Join(fmt.Errorf("another run is writing %s: wait for it", profile), file.Close())
		}
		// Between opening and locking, the run that had it may have finished.
		same, err := stillThere(file, path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("look at %s: %w", path, err), file.Close())
		}
		if !same {
			if err := file.Close(); err != nil {
				return nil, err
			}
			continue
		}
		if err := p.read(); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		if _, err := os.Lstat(profile); err == nil && p.request == nil {
			return nil, errors.Join(existsError(profile), p.remove(), file.Close())
		}
		return p, nil
	}
}

func stillThere(file *os.File, path string) (bool, error) {
	opened, err := file.Stat()
	if err != nil {
		return false, err
	}
	now, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, now), err
}

const pendingEnd = "# complete\n"

// read takes over what a killed run has left. A file without its end was not
// finished, and no certificate can be of its key.
func (p *pending) read() error {
	info, err := p.file.Stat()
	if err != nil {
		return fmt.Errorf("look at %s: %w", p.path, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s can be read by others than you, and a key may be in it: remove it", p.path)
	}
	data, err := os.ReadFile(p.path)
	if err != nil {
		return fmt.Errorf("read %s: %w", p.path, err)
	}
	text, complete := strings.CutSuffix(string(data), pendingEnd)
	if !complete {
		return nil
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE REQUEST" {
		return fmt.Errorf("%s is not what an earlier run has left: move it away", p.path)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return fmt.Errorf("%s is damaged: remove it, and if %q has a certificate already, renew it: %w", p.path, p.name, err)
	}
	if request.Subject.CommonName != p.name {
		return fmt.Errorf("%s holds the key of %q, of a run that did not finish: finish that one, or choose another file", p.path, request.Subject.CommonName)
	}
	p.request, p.key = request, rest
	return nil
}

// fill makes the key.
func (p *pending) fill(name string, passphrase []byte) error {
	key, request, err := NewKey(name)
	if err != nil {
		return err
	}
	text, err := EncodeKey(key, passphrase)
	if err != nil {
		return err
	}
	p.request, p.key = request, text
	return p.write()
}

func (p *pending) write() error {
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: p.request.Raw})
	data = append(append(data, p.key...), pendingEnd...)
	err := p.file.Truncate(0)
	if err == nil {
		_, err = p.file.WriteAt(data, 0)
	}
	if err == nil {
		err = p.file.Sync()
	}
	if err == nil {
		err = syncDir(filepath.Dir(p.path))
	}
	if err != nil {
		return fmt.Errorf("write the key to %s: %w", p.path, err)
	}
	return nil
}

// reopen makes sure that the key that waits is encrypted as asked now.
func (p *pending) reopen(passphrase []byte) error {
	encrypted := strings.Contains(string(p.key), "ENCRYPTED PRIVATE KEY")
	switch {
	case encrypted && len(passphrase) == 0:
		return fmt.Errorf("the run that did not finish had a passphrase for the key in %s: give the same again, or remove the file and renew the certificate", p.path)
	case encrypted:
		if _, err := DecodeKey(p.key, passphrase); err != nil {
			return fmt.Errorf("%s, of a run that did not finish: %w: give the passphrase of that run, or remove the file and renew the certificate", p.path, err)
		}
	case len(passphrase) > 0:
		key, err := DecodeKey(p.key, nil)
		if err != nil {
			return fmt.Errorf("%s: %w", p.path, err)
		}
		if p.key, err = EncodeKey(key, passphrase); err != nil {
			return err
		}
	}
	return nil
}

func (p *pending) remove() error {
	if err := os.Remove(p.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the file in which the key waited: %w", err)
	}
	return nil
}

func (p *pending) close() error { return p.file.Close() }
