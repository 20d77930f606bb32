package account

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// ec2ID makes an ID such as "vpc-0a1b2c3d4e5f60718".
func ec2ID(prefix string) string { return prefix + "-0" + randomHex(16) }

func randomHex(digits int) string {
	return hex.EncodeToString(randomBytes((digits + 1) / 2))[:digits]
}

// randomBytes never fails: since Go 1.24 crypto/rand ends the program where
// the system has no randomness.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

const upperAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// upper makes the random part of IAM's and Route 53's identifiers.
func upper(n int) string {
	var b strings.Builder
	for _, c := range randomBytes(n) {
		b.WriteByte(upperAlphabet[int(c)%len(upperAlphabet)])
	}
	return b.String()
}

func uuid() string {
	h := randomHex(32)
	return fmt.Sprintf("%s-%s-4%s-a%s-%s", h[:8], h[8:12], h[13:16], h[17:20], h[20:])
}

// arn makes the ARN of something in a region. IAM's have an empty region.
func arn(service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + AccountID + ":" + resource
}
