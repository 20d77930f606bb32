package s3

import (
	"bytes"
	"crypto/md5" // #nosec G501 -- the checksum that clients send
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
)

// payload takes an upload in chunks apart, where it is one:
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
func payload(r *http.Request, body []byte) ([]byte, error) {
	switch form := r.Header.Get("X-Amz-Content-Sha256"); {
	case form == "STREAMING-UNSIGNED-PAYLOAD-TRAILER":
		content, err := unchunk(body)
		if err != nil {
			return nil, err
		}
		if length := r.Header.Get("X-Amz-Decoded-Content-Length"); length != strconv.Itoa(len(content)) {
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "the chunks hold %d bytes, X-Amz-Decoded-Content-Length says %s", len(content), length)
		}
		return content, nil
	case strings.HasPrefix(form, "STREAMING-"):
		return nil, notImplemented(form + ": send the body's hash, UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	}
	return body, nil
}

func unchunk(body []byte) ([]byte, error) {
	var content []byte
	for {
		line, rest, found := bytes.Cut(body, []byte("\r\n"))
		size, _, _ := strings.Cut(string(line), ";")
		n, err := strconv.ParseUint(size, 16, 32)
		if !found || err != nil || uint64(len(rest)) < n {
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "the body is not in the chunks that X-Amz-Content-Sha256 announces")
		}
		if n == 0 {
			return content, nil // what follows is the trailer
		}
		content = append(content, rest[:n]...)
		if body, found = bytes.CutPrefix(rest[n:], []byte("\r\n")); !found {
			return nil, refuse(http.StatusBadRequest, "IncompleteBody", "a chunk is longer than it says")
		}
	}
}

// checkDigests holds the body to the checksums that came with it.
func checkDigests(r request) error {
	crc := make([]byte, 4)
	binary.BigEndian.PutUint32(crc, crc32.ChecksumIEEE(r.body))
	sha, md := sha256.Sum256(r.body), md5.Sum(r.body) // #nosec G401 -- a checksum
	for header, sum := range map[string][]byte{
		"Content-Md5": md[:], "X-Amz-Checksum-Crc32": crc, "X-Amz-Checksum-Sha256": sha[:],
	} {
		if given := r.Header.Get(header); given != "" && given != base64.StdEncoding.EncodeToString(sum) {
			return refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", header)
		}
	}
	return nil
}
