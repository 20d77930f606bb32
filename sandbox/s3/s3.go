// Package s3 is the simulated account's object store: objects of the account's
// buckets, by path (/bucket/key), with versions and conditional writes.
//
// What a bucket's policy says is not applied: this address has no TLS, which a
// policy for TLS only would refuse.
package s3

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

// Scope is the service in the scope of signatures.
const Scope = "s3"

// maxBody is the largest object, far less than in S3: objects stand in memory
// while they are read and written.
const maxBody = 512 << 20

// Server answers requests of the account's operator.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
type Server struct {
	Account     *account.Account
	Credentials awsapi.Credentials
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	Log *slog.Logger
}

// request is one whose signature is good.
type request struct {
	*http.Request
	bucket, key string
	body        []byte
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set("X-Amz-Request-Id", id)
	if err := s.do(w, r); err != nil {
		s.fail(w, r, id, err)
	}
}

func (s *Server) do(w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return refuse(http.StatusBadRequest, "IncompleteBody", "the request body could not be read: %v", err)
	}
	region, err := s.authenticate(r, body)
	if err != nil {
		return err
	}
	if body, err = payload(r, body); err != nil {
		return err
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket == "" {
		return notImplemented("a list of all buckets")
	}
	if err := s.checkRegion(bucket, region); err != nil {
		return err
	}
	call := request{Request: r, bucket: bucket, key: key, body: body}
	if key == "" {
		return s.onBucket(w, call)
	}
	return s.onObject(w, call)
}

func (s *Server) onObject(w http.ResponseWriter, r request) error {
	// What other parameters ask for (tags, parts, retention) is not here.
	if err := onlyParameters(r.Request, "versionId", "x-id"); err != nil {
		return err
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return s.get(w, r)
	case http.MethodPut:
		return s.put(w, r)
	case http.MethodDelete:
		return s.remove(w, r)
	}
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "the specified method is not allowed against this resource")
}

// authenticate checks the signature and who signed, and returns its region.
func (s *Server) authenticate(r *http.Request, body []byte) (string, error) {
	verifier := &sigv4.Verifier{Service: Scope, S3: true, Now: s.Now, Keys: func(id string) (sigv4.Key, bool) {
		credential, found := s.Credentials(id)
		return credential.Key, found
	}}
	signature, err := verifier.Verify(sigv4.FromHTTP(r, body))
	if err != nil {
		return "", err
	}
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	credential, found := s.Credentials(signature.AccessKeyID)
	if !found || !credential.Expires.IsZero() && !now().Before(credential.Expires) {
		return "", refuse(http.StatusForbidden, "ExpiredToken", "The provided token has expired.")
	}
	if credential.Caller.ARN != account.OperatorARN {
		return "", refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform this operation", credential.Caller.ARN)
	}
	return signature.Region, nil
}

// checkRegion holds the signature to the bucket's region. A bucket that is not
// there is for the operation to miss.
func (s *Server) checkRegion(bucket, region string) error {
	home, found := s.Account.BucketRegion(bucket)
	if found && home != region {
		return refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '%s' is wrong; expecting '%s'", region, home)
	}
	return nil
}

func onlyParameters(r *http.Request, allowed ...string) error {
	for name := range r.URL.Query() {
		ours := strings.HasPrefix(name, "X-Amz-") // of a presigned URL
		for _, a := range allowed {
			ours = ours || name == a
		}
		if !ours {
			return notImplemented("the parameter " + name)
		}
	}
	return nil
}

func refuse(status int, code, format string, args ...any) error {
	return &awsapi.Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

func notImplemented(what string) error {
	return refuse(http.StatusNotImplemented, "NotImplemented", "A header or parameter you provided implies functionality that the simulated S3 does not have: %s", what)
}

// failure is an error as S3 answers it:
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
type failure struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string
	Message   string
	Resource  string
	RequestID string `xml:"RequestId"`
}

var statuses = map[string]int{
	"NoSuchBucket": http.StatusNotFound, "NoSuchKey": http.StatusNotFound, "NoSuchVersion": http.StatusNotFound,
	"PreconditionFailed": http.StatusPreconditionFailed,
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	refused := awsapi.AsError(err)
	var refusal *account.Error
	if errors.As(err, &refusal) {
		refused = &awsapi.Error{Status: http.StatusBadRequest, Code: refusal.Code, Message: refusal.Message}
		if status, known := statuses[refusal.Code]; known {
			refused.Status = status
		}
		if refusal.Retryable {
			refused.Status, refused.Code = http.StatusServiceUnavailable, "SlowDown"
		}
	}
	if refused.Status >= http.StatusInternalServerError && refused.Status != http.StatusNotImplemented {
		s.Log.Error("request failed", "service", Scope, "path", r.URL.Path, "error", refused)
	} else {
		s.Log.Info("request refused", "service", Scope, "path", r.URL.Path, "code", refused.Code, "message", refused.Message)
	}
	if r.Method == http.MethodHead {
		w.WriteHeader(refused.Status)
		return
	}
	s.answer(w, refused.Status, failure{Code: refused.Code, Message: refused.Message, Resource: r.URL.Path, RequestID: id})
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	text, err := xml.Marshal(body)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	text = append([]byte(xml.Header), text...)
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		s.Log.Info("client went away", "service", Scope, "error", err)
	}
}
