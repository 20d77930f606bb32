package vaultops

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const testMeta = `{"Version":1,"ID":"bolt-snapshot","Index":42,"Term":3,"Configuration":{"Servers":[{"ID":"vault-0"},{"ID":"vault-1"}]},"Size":5}`

type entry struct{ name, content string }

// archiveOf packs files as Vault does.
func archiveOf(t require.TestingT, entries ...entry) []byte {
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	archive := tar.NewWriter(zipped)
	for _, e := range entries {
		require.NoError(t, archive.WriteHeader(&tar.Header{
			Name: e.name, Mode: 0o600, Size: int64(len(e.content)), ModTime: time.Unix(1_800_000_000, 0),
		}))
		_, err := archive.Write([]byte(e.content))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zipped.Close())
	return out.Bytes()
}

func sumOf(e entry) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(e.content)), e.name) }

func TestReadArchive(t *testing.T) {
	meta, state, sealed := entry{"meta.json", testMeta}, entry{"state.bin", "state"}, entry{"SHA256SUMS.sealed", "?"}
	sums := entry{"SHA256SUMS", sumOf(meta) + sumOf(state)}
	whole := archiveOf(t, meta, state, sums, sealed)
	found, err := ReadArchive(bytes.NewReader(whole))
	require.NoError(t, err)
	require.Equal(t, uint64(42), found.Index)
	require.Equal(t, uint64(3), found.Term)
	require.Equal(t, int64(5), found.StateBytes)
	require.Equal(t, []string{"vault-0", "vault-1"}, found.Servers)
	require.Equal(t, int64(1_800_000_000), found.Taken.Unix())

	for want, data := range map[string][]byte{
		"it ends too early":             whole[:len(whole)/2],
		"gzip: invalid header":          []byte("a file that is something else"),
		"state.bin is damaged":          archiveOf(t, meta, entry{"state.bin", "other"}, sums, sealed),
		"state.bin is missing":          archiveOf(t, meta, entry{"SHA256SUMS", sumOf(meta)}, sealed),
		"SHA256SUMS.sealed is missing":  archiveOf(t, meta, state, sums),
		"meta.json is missing":          archiveOf(t, meta, state, sealed),
		`it has a file "vault.db"`:      archiveOf(t, meta, state, entry{"vault.db", ""}, sums, sealed),
		"SHA256SUMS is damaged":         archiveOf(t, meta, state, entry{"SHA256SUMS", "x"}, sealed),
		"SHA256SUMS lists other files":  archiveOf(t, meta, state, entry{"SHA256SUMS", sums.content + sumOf(entry{"more", ""})}, sealed),
		"meta.json: invalid character":  archiveOf(t, entry{"meta.json", "no"}, state, sums, sealed),
		"much longer than it should be": archiveOf(t, entry{"meta.json", string(make([]byte, metaLimit+1))}, state, sums, sealed),
	} {
		_, err := ReadArchive(bytes.NewReader(data))
		require.ErrorContains(t, err, "this is no whole snapshot of Vault", want)
		require.ErrorContains(t, err, want)
	}
	long := entry{"SHA256SUMS", string(make([]byte, metaLimit+1))}
	_, err = ReadArchive(bytes.NewReader(archiveOf(t, meta, state, long, sealed)))
	require.ErrorContains(t, err, "much longer than it should be")
}

// No cut goes unnoticed, and no changed bit that means anything: some bits of a
// compressed stream only fill up a byte.
func TestReadArchiveDamaged(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		content := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "state")
		meta, state := entry{"meta.json", testMeta}, entry{"state.bin", string(content)}
		whole := archiveOf(t, meta, state, entry{"SHA256SUMS", sumOf(meta) + sumOf(state)}, entry{"SHA256SUMS.sealed", "?"})
		_, err := ReadArchive(bytes.NewReader(whole))
		require.NoError(t, err)
		at := rapid.IntRange(0, len(whole)-1).Draw(t, "at")
		_, err = ReadArchive(bytes.NewReader(whole[:at]))
		require.Error(t, err, "cut off after %d of %d bytes", at, len(whole))
		if at < 10 {
			return // gzip's header says nothing about the data
		}
		changed := bytes.Clone(whole)
		changed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err = ReadArchive(bytes.NewReader(changed)); err == nil {
			require.Equal(t, unpacked(t, whole), unpacked(t, changed), "byte %d of %d changed", at, len(whole))
		}
	})
}

func unpacked(t require.TestingT, archive []byte) []byte {
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	require.NoError(t, err)
	data, err := io.ReadAll(unzipped)
	require.NoError(t, err)
	return data
}
