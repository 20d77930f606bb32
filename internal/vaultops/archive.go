package vaultops

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// metaLimit bounds what is read into memory of an archive.
const metaLimit = 1 << 20

// Archive is what a snapshot says of itself.
type Archive struct {
	// Index is the place in raft's log up to which it reaches, of Term.
	Index uint64 `json:"index"`
	Term  uint64 `json:"term"`
	// Taken is when.
	Taken time.Time `json:"taken"`
	// StateBytes is the size of the data in it.
	StateBytes int64 `json:"stateBytes"`
	// Servers are the raft nodes there were.
	Servers []string `json:"servers"`
}

// ReadArchive reads a snapshot to its end and checks it against the sums in it, as
// Vault does before it restores one. The file is a gzipped tar with meta.json,
// state.bin and SHA256SUMS; state.bin is encrypted, and whether the seal can decrypt
// it only Vault can tell, by SHA256SUMS.sealed.
// https://github.com/hashicorp/raft-snapshot/blob/v1.0.4/archive.go
func ReadArchive(r io.Reader) (Archive, error) {
	wrap := func(err error) (Archive, error) {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			err = errors.New("it ends too early: it was not written or not sent to its end")
		}
		return Archive{}, fmt.Errorf("this is no whole snapshot of Vault: %w", err)
	}
	unzipped, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return wrap(err)
	}
	unzipped.Multistream(false)
	archive := tar.NewReader(unzipped)
	found := Archive{}
	sums, sealed := "", false
	have := map[string]string{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return wrap(err)
		}
		sum := sha256.New()
		switch content := io.TeeReader(archive, sum); header.Name {
		case "meta.json":
			found.Taken = header.ModTime
			err = found.readMeta(content)
		case "state.bin":
			found.StateBytes, err = io.Copy(io.Discard, content)
		case "SHA256SUMS":
			if sums, err = readSmall(content); err != nil {
				return wrap(err)
			}
			continue
		case "SHA256SUMS.sealed":
			sealed = true
			continue
		default:
			err = fmt.Errorf("it has a file %q", header.Name)
		}
		if err != nil {
			return wrap(err)
		}
		have[header.Name] = hex.EncodeToString(sum.Sum(nil))
	}
	// To the end: the sum of the gzip stream is behind it.
	if _, err := io.Copy(io.Discard, unzipped); err != nil {
		return wrap(err)
	}
	if !sealed {
		return wrap(errors.New("SHA256SUMS.sealed is missing: Vault writes it last"))
	}
	if err := checkSums(have, sums); err != nil {
		return wrap(err)
	}
	return found, nil
}

func (a *Archive) readMeta(r io.Reader) error {
	text, err := readSmall(r)
	if err != nil {
		return err
	}
	var meta struct {
		Index, Term   uint64
		Configuration struct {
			Servers []struct{ ID string }
		}
	}
	if err := json.Unmarshal([]byte(text), &meta); err != nil {
		return fmt.Errorf("meta.json: %w", err)
	}
	a.Index, a.Term = meta.Index, meta.Term
	for _, s := range meta.Configuration.Servers {
		a.Servers = append(a.Servers, s.ID)
	}
	return nil
}

func readSmall(r io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, metaLimit+1))
	if err == nil && len(data) > metaLimit {
		err = errors.New("a file in it is much longer than it should be")
	}
	return string(bytes.TrimSpace(data)), err
}

// checkSums compares lines of "<sum>  <file>" with what was read: neither may have
// what the other has not.
func checkSums(have map[string]string, lines string) error {
	want := map[string]string{}
	for line := range strings.Lines(lines) {
		sum, name, ok := strings.Cut(strings.TrimSpace(line), "  ")
		if !ok {
			return errors.New("SHA256SUMS is damaged")
		}
		want[name] = sum
	}
	for _, name := range []string{"meta.json", "state.bin"} {
		if have[name] == "" || want[name] == "" {
			return fmt.Errorf("%s is missing in it or in SHA256SUMS", name)
		}
		if have[name] != want[name] {
			return fmt.Errorf("%s is damaged: its sum is not that in SHA256SUMS", name)
		}
	}
	if len(want) != len(have) {
		return errors.New("SHA256SUMS lists other files than there are")
	}
	return nil
}
