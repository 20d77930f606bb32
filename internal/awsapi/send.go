package awsapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	signer "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	requestLimit = 20 * time.Second
	// fileLimit is enough for 5 GiB, the largest object in one request, at 3 MiB/s.
	fileLimit   = 30 * time.Minute
	answerLimit = 32 << 20
	attempts    = 4
	firstWait   = 250 * time.Millisecond
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
	// upload is sent in place of body, download receives the answer's.
	upload, download *os.File
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
	limit := requestLimit
	if r.upload != nil || r.download != nil {
		limit = fileLimit
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	content, hash, err := r.content()
	if err != nil {
		return nil, err
	}
	h, err := http.NewRequestWithContext(ctx, r.method, r.url, content)
	if err != nil {
		return nil, &Error{Code: "InvalidRequest", Message: err.Error()}
	}
	h.ContentLength = content.Size()
	if h.ContentLength == 0 {
		h.Body = http.NoBody // or net/http sends it in chunks
	}
	for name, values := range r.header {
		h.Header[name] = values
	}
	credentials, err := s.Credentials.Retrieve(ctx)
	if err != nil {
		// Asking again would give the same.
		return nil, &Error{Code: "no credentials for AWS", Message: err.Error() + ": `aws sts get-caller-identity` tells whether the AWS CLI finds any"}
	}
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
	if r.download != nil && response.StatusCode < http.StatusMultipleChoices {
		return &answer{header: response.Header}, receive(r.download, response)
	}
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

// sized is a body that can be sent again.
type sized interface {
	io.Reader
	Size() int64
}

// content is what is sent, from its start, and its SHA-256 as S3 wants it.
func (r request) content() (sized, string, error) {
	if r.upload == nil {
		sum := sha256.Sum256(r.body)
		return bytes.NewReader(r.body), hex.EncodeToString(sum[:]), nil
	}
	info, err := r.upload.Stat()
	if err != nil {
		return nil, "", &Error{Code: "unreadable file", Message: err.Error()}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r.upload, 0, info.Size())); err != nil {
		return nil, "", &Error{Code: "unreadable file", Message: err.Error()}
	}
	return io.NewSectionReader(r.upload, 0, info.Size()), hex.EncodeToString(sum.Sum(nil)), nil
}

// receive writes an answer into a file, in place of what an earlier try left there.
func receive(file *os.File, response *http.Response) error {
	if err := file.Truncate(0); err != nil {
		return &Error{Code: "unwritable file", Message: err.Error()}
	}
	size, err := io.Copy(io.NewOffsetWriter(file, 0), response.Body)
	if err == nil && response.ContentLength >= 0 && size != response.ContentLength {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("receive %s: %w", file.Name(), err)
	}
	return nil
}

// failure reads the error of S3 (<Error>), of EC2 (<Response><Errors><Error>), or of
// a service that speaks JSON.
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
		e.Code, e.Message = jsonFailure(body)
		return e // at least the status says something
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

// jsonFailure reads {"__type": "namespace#Code", "message": "..."}.
func jsonFailure(body []byte) (code, message string) {
	var text struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // or "Message": encoding/json takes both
	}
	if err := json.Unmarshal(body, &text); err != nil {
		return "", ""
	}
	return text.Type[strings.LastIndex(text.Type, "#")+1:], text.Message
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
