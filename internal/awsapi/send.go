package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	requestLimit = 20 * time.Second
	answerLimit  = 32 << 20
	attempts     = 4
	firstWait    = 250 * time.Millisecond
)

// Error is what AWS answers.
type Error struct {
	Status    int
	Code      string // such as "UnauthorizedOperation"
	Message   string
	RequestID string

	deleted bool // by a marker in a bucket with versions
}

func (e *Error) Error() string {
	text := e.Code
	if text == "" {
		text = fmt.Sprintf("HTTP status %d", e.Status)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// request is one before it is signed.
type request struct {
	service, method, url string
	header               http.Header
	body                 []byte
}

// answer is a success.
type answer struct {
	header http.Header
	body   []byte
}

// send signs and sends until there is an answer that another try would not
// change: each try after a failure of the network, a 429 or a 5xx.
func (s *Session) send(ctx context.Context, r request) (*answer, error) {
	var err error
	for attempt, pause := 1, firstWait; ; attempt, pause = attempt+1, 2*pause {
		var a *answer
		a, err = s.once(ctx, r)
		if err == nil {
			return a, nil
		}
		var known *Error
		passing := !errors.As(err, &known) || known.Status >= 500 || known.Status == http.StatusTooManyRequests || known.Code == "RequestLimitExceeded"
		if !passing || attempt == attempts || ctx.Err() != nil {
			return nil, err
		}
		if waited := s.pause(ctx, pause); waited != nil {
			return nil, errors.Join(err, waited)
		}
	}
}

func (s *Session) once(ctx context.Context, r request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	h, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, &Error{Code: "InvalidRequest", Message: err.Error()}
	}
	for name, values := range r.header {
		h.Header[name] = values
	}
	credentials, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		// Asking again would give the same.
		return nil, &Error{Code: "no credentials for AWS", Message: err.Error() + ": `aws sts get-caller-identity` tells whether the AWS CLI finds any"}
	}
	sum := sha256.Sum256(r.body)
	hash := hex.EncodeToString(sum[:])
	// S3 wants this header, and does not encode the path a second time.
	isS3 := r.service == "s3"
	if isS3 {
		h.Header.Set("X-Amz-Content-Sha256", hash)
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	err = signer.NewSigner().SignHTTP(ctx, credentials, h, hash, r.service, s.Region, now(),
		func(o *signer.SignerOptions) { o.DisableURIPathEscaping = isS3 })
	if err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	response, err := client.Do(h)
	if err != nil {
		return nil, err // net/http names the method and the URL
	}
	defer func() { _ = response.Body.Close() }() // only read from
	body, err := io.ReadAll(io.LimitReader(response.Body, answerLimit+1))
	if err != nil {
		return nil, fmt.Errorf("read the answer of %s: %w", h.URL.Host, err)
	}
	if len(body) > answerLimit {
		return nil, &Error{Status: response.StatusCode, Message: fmt.Sprintf("the answer is longer than %d bytes", answerLimit)}
	}
	if response.StatusCode >= 300 {
		return nil, failure(response, body)
	}
	return &answer{response.Header, body}, nil
}

// failure reads the error of S3 (<Error>) or of EC2 (<Response><Errors><Error>).
func failure(response *http.Response, body []byte) *Error {
	type details struct {
		Code    string `xml:"Code"`
		Message string `xml:"Message"`
	}
	var text struct {
		details
		Errors []details `xml:"Errors>Error"`
		ID     string    `xml:"RequestID"`
		S3ID   string    `xml:"RequestId"`
	}
	e := &Error{
		Status: response.StatusCode, RequestID: response.Header.Get("X-Amz-Request-Id"),
		deleted: response.Header.Get("X-Amz-Delete-Marker") == "true",
	}
	if err := xml.Unmarshal(body, &text); err != nil {
		return e // the status says enough
	}
	d := text.details
	if len(text.Errors) > 0 {
		d = text.Errors[0]
	}
	e.Code, e.Message = d.Code, d.Message
	if id := text.ID + text.S3ID; e.RequestID == "" {
		e.RequestID = id
	}
	return e
}

func (s *Session) pause(ctx context.Context, d time.Duration) error {
	if s.wait != nil {
		return s.wait(ctx, d)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
