// Package sigv4 checks AWS Signature Version 4 on requests that reach the
// simulated account's HTTP endpoints.
//
// It is a second, independent writing of the algorithm: clients sign with
// their own SDK, and an endpoint that recomputed the signature with the same
// SDK would share its mistakes.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm = "AWS4-HMAC-SHA256"
	timeForm  = "20060102T150405Z"

	// clockSkew is how far a signing time may lie from now in a header-signed
	// request, and in the future in any request, as AWS documents.
	clockSkew = 5 * time.Minute

	// maxExpires is the longest life AWS accepts in X-Amz-Expires: 7 days.
	maxExpires = 7 * 24 * time.Hour
)

// Key is the secret half of an access key.
type Key struct {
	Secret string
	// SessionToken is what temporary credentials must also present. Empty for
	// the long-term key of a user.
	SessionToken string
}

// Keys finds the key for an access key id; false where there is none.
type Keys func(accessKeyID string) (Key, bool)

// Request is a signed request with its body already read.
type Request struct {
	Method string
	Host   string
	URL    *url.URL
	Header http.Header
	Body   []byte
}

// FromHTTP is r as a server received it, with its body.
func FromHTTP(r *http.Request, body []byte) Request {
	header := r.Header.Clone()
	// net/http moves these two out of the header, but clients may sign them.
	if r.ContentLength > 0 {
		header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10))
	}
	if len(r.TransferEncoding) > 0 {
		header["Transfer-Encoding"] = r.TransferEncoding
	}
	return Request{Method: r.Method, Host: r.Host, URL: r.URL, Header: header, Body: body}
}

// Verifier checks requests to one service.
type Verifier struct {
	// Service is the name in the credential scope, such as "sts".
	Service string
	Keys    Keys
	// PresignedLife, where it is not zero, is how long a presigned URL is good
	// after its signing time, whatever X-Amz-Expires says. STS behaves so, with
	// 15 minutes.
	PresignedLife time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	// S3 is set for that service: it encodes paths once, and clients may leave the
	// body out of the signature.
	S3 bool
}

// Signature says who signed a request that was found good.
type Signature struct {
	AccessKeyID string
	Region      string
	Time        time.Time
	Presigned   bool
	// SignedHeaders are lower-case names in order.
	SignedHeaders []string
}

// Verify checks the signature of r, in its header or in its query. The error
// is an *Error with the code that AWS answers.
func (v *Verifier) Verify(r Request) (*Signature, error) {
	claim, err := parse(r)
	if err != nil {
		return nil, err
	}
	if err := v.checkScope(claim); err != nil {
		return nil, err
	}
	if err := checkSignedHeaders(r, claim); err != nil {
		return nil, err
	}
	key, found := v.Keys(claim.accessKeyID)
	if !found || !hmac.Equal([]byte(key.SessionToken), []byte(claim.sessionToken)) {
		return nil, &Error{http.StatusForbidden, "InvalidClientTokenId",
			"The security token included in the request is invalid."}
	}
	payload, err := v.payload(r, claim)
	if err != nil {
		return nil, err
	}
	path := canonicalPath(r.URL)
	if v.S3 {
		path = canonicalPathOnce(r.URL)
	}
	want := sign(key.Secret, claim, canonicalRequest(r, claim, path, payload))
	if !hmac.Equal([]byte(want), []byte(claim.signature)) {
		return nil, signatureMismatch("The request signature we calculated does not match the signature you provided. " +
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	// Time is looked at last so that only the holder of the key learns that a
	// request was good once.
	if err := v.checkTime(claim); err != nil {
		return nil, err
	}
	return &Signature{
		AccessKeyID: claim.accessKeyID, Region: claim.region, Time: claim.time,
		Presigned: claim.presigned, SignedHeaders: claim.signedHeaders,
	}, nil
}

// payload is what the signature covers of the body: its hash or, only with S3, a
// word in its place.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func (v *Verifier) payload(r Request, c *claim) (string, error) {
	hash, declared := hexSHA256(r.Body), r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case v.S3 && declared == "" && c.presigned:
		return "UNSIGNED-PAYLOAD", nil
	case v.S3 && declared == "":
		return "", &Error{http.StatusBadRequest, "MissingSecurityHeader", "Your request was missing a required header: x-amz-content-sha256"}
	case v.S3 && (declared == "UNSIGNED-PAYLOAD" || strings.HasPrefix(declared, "STREAMING-")):
		return declared, nil
	case declared != "" && declared != hash:
		return "", signatureMismatch("the body's hash is not the signed X-Amz-Content-Sha256")
	}
	return hash, nil
}

func (v *Verifier) checkScope(c *claim) error {
	if c.date != c.time.Format("20060102") {
		return signatureMismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			c.date + "' != '" + c.time.Format("20060102") + "'")
	}
	if c.service != v.Service {
		return signatureMismatch("Credential should be scoped to correct service: '" + v.Service + "', not '" + c.service + "'")
	}
	return nil
}

func (v *Verifier) checkTime(c *claim) error {
	now := time.Now
	if v.Now != nil {
		now = v.Now
	}
	age := now().UTC().Sub(c.time)
	if age < -clockSkew {
		return signatureMismatch("Signature not yet current: " + c.time.Format(timeForm) +
			" is still later than " + now().UTC().Format(timeForm))
	}
	life := clockSkew
	if c.presigned {
		life = c.expires
		if v.PresignedLife > 0 {
			life = v.PresignedLife
		}
	}
	if age > life {
		return &Error{http.StatusForbidden, "ExpiredToken",
			"Signature expired: " + c.time.Format(timeForm) + " is now earlier than " +
				now().UTC().Add(-life).Format(timeForm) + " (" + life.String() + " ago)"}
	}
	return nil
}

// checkSignedHeaders holds clients to what AWS demands: the host and every
// x-amz-* header must be under the signature.
func checkSignedHeaders(r Request, c *claim) error {
	if !slices.Contains(c.signedHeaders, "host") {
		return signatureMismatch("'Host' must be a 'SignedHeader' in the AWS Authorization")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(c.signedHeaders, lower) {
			return signatureMismatch("'" + lower + "' must be a 'SignedHeader' in the AWS Authorization")
		}
	}
	for _, name := range c.signedHeaders {
		if name != "host" && len(r.Header.Values(name)) == 0 {
			return signatureMismatch("the signed header '" + name + "' is not in the request")
		}
	}
	return nil
}

func sign(secret string, c *claim, canonical string) string {
	scope := strings.Join([]string{c.date, c.region, c.service, "aws4_request"}, "/")
	toSign := strings.Join([]string{algorithm, c.time.Format(timeForm), scope, hexSHA256([]byte(canonical))}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{c.date, c.region, c.service, "aws4_request"} {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hexSHA256(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
