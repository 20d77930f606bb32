// Package awsapi is the front of the simulated account's data planes: it finds
// the service that a signed request is for, checks the signature with sandbox/sigv4,
// finds out who signed, and answers errors in the protocol of the JSON services.
//
// One address serves every service, as AWS_ENDPOINT_URL wants it: the service is
// the one in the scope of the request's signature.
package awsapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

// Dispatch sends a request to the service in its signature's scope ("kms"), and
// to the one named "" where there is no such service or no signature.
type Dispatch map[string]http.Handler

func (d Dispatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if service, found := d[Service(r)]; found {
		service.ServeHTTP(w, r)
		return
	}
	if other, found := d[""]; found {
		other.ServeHTTP(w, r)
		return
	}
	http.Error(w, "the simulated AWS account has no service "+Service(r), http.StatusNotFound)
}

// Service is the service that a request claims to be signed for, unchecked.
func Service(r *http.Request) string {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if _, rest, found := strings.Cut(r.Header.Get("Authorization"), "Credential="); found {
		credential, _, _ = strings.Cut(rest, ",")
	}
	scope := strings.Split(strings.TrimSpace(credential), "/")
	if len(scope) != 5 {
		return ""
	}
	return scope[3]
}

// Caller is the principal that signed a request.
type Caller struct {
	// ARN is a user's, or that of a role's session
	// (arn:aws:sts::…:assumed-role/<role>/<session>).
	ARN string
	// Role is the name of the session's role, empty for a user.
	Role string
}

// Credential is an access key's secret and who it belongs to.
type Credential struct {
	Key    sigv4.Key
	Caller Caller
	// Expires is when temporary credentials end; zero for a user's key.
	Expires time.Time
}

// Credentials finds an access key; false where there is none.
type Credentials func(accessKeyID string) (Credential, bool)

// Call is one request whose signature is good.
type Call struct {
	Caller Caller
	Region string
	// Action is the operation: "Decrypt".
	Action string
	// Body is the JSON of the request.
	Body []byte
}

// Decode reads the body into input, refusing fields that the simulated service
// does not know: an option that would be ignored must not look respected.
func (c Call) Decode(input any) error {
	decoder := json.NewDecoder(strings.NewReader(string(c.Body)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(input); err != nil {
		return &Error{Status: http.StatusBadRequest, Code: "SerializationException",
			Message: fmt.Sprintf("the simulated service cannot read the request: %v", err)}
	}
	return nil
}

// Operation does one action; what it returns is encoded as JSON.
type Operation func(ctx context.Context, call Call) (any, error)

// JSON is a service that speaks AWS's JSON protocol 1.1, as KMS and Secrets
// Manager do: POST / with the operation in X-Amz-Target.
// https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
type JSON struct {
	// Name is the service in the signature's scope, Target what precedes the
	// operation in X-Amz-Target: "TrentService".
	Name, Target string
	Operations   map[string]Operation
	Credentials  Credentials
	Now          func() time.Time
	Log          *slog.Logger
}

// maxBody is more than any request of the simulated services needs: a secret has
// at most 64 KiB, in base64 where it is binary.
const maxBody = 256 << 10

func (s *JSON) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	result, err := s.do(w, r)
	status := http.StatusOK
	if err != nil {
		refused := AsError(err)
		status = refused.Status
		result = map[string]string{"__type": refused.Code, "message": refused.Message}
		s.Log.Info("request refused", "service", s.Name, "target", r.Header.Get("X-Amz-Target"), "code", refused.Code, "message", refused.Message)
	}
	text, err := json.Marshal(result)
	if err != nil {
		s.Log.Error("answer could not be encoded", "service", s.Name, "error", err)
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-Requestid", uuid.NewString())
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		s.Log.Info("client went away", "service", s.Name, "error", err)
	}
}

func (s *JSON) do(w http.ResponseWriter, r *http.Request) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: "the request body could not be read"}
	}
	call, err := Authenticate(s.Name, s.Credentials, s.Now, r, body)
	if err != nil {
		return nil, err
	}
	target, action, found := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	operation, known := s.Operations[action]
	if !found || target != s.Target || !known || r.Method != http.MethodPost || r.URL.Path != "/" {
		return nil, &Error{Status: http.StatusBadRequest, Code: "UnknownOperationException",
			Message: fmt.Sprintf("the simulated %s does not know %q", s.Name, r.Header.Get("X-Amz-Target"))}
	}
	call.Action = action
	return operation(r.Context(), call)
}

// Authenticate checks a request's signature for a service, and says who signed.
func Authenticate(service string, credentials Credentials, now func() time.Time, r *http.Request, body []byte) (Call, error) {
	if now == nil {
		now = time.Now
	}
	verifier := &sigv4.Verifier{Service: service, Now: now, Keys: func(id string) (sigv4.Key, bool) {
		credential, found := credentials(id)
		return credential.Key, found
	}}
	signature, err := verifier.Verify(sigv4.FromHTTP(r, body))
	if err != nil {
		return Call{}, err
	}
	credential, found := credentials(signature.AccessKeyID)
	if !found {
		return Call{}, &Error{Status: http.StatusForbidden, Code: "InvalidClientTokenId", Message: "The security token included in the request is invalid."}
	}
	if !credential.Expires.IsZero() && !now().Before(credential.Expires) {
		return Call{}, &Error{Status: http.StatusForbidden, Code: "ExpiredTokenException", Message: "The security token included in the request is expired"}
	}
	return Call{Caller: credential.Caller, Region: signature.Region, Body: body}, nil
}

// Error is a refusal, with the code that the service answers.
type Error = sigv4.Error

// AsError is err as a client is told of it.
func AsError(err error) *Error {
	var refused *Error
	if errors.As(err, &refused) {
		return refused
	}
	return &Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
}

// Refuse makes an error of the client's doing.
func Refuse(code, format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Code: code, Message: fmt.Sprintf(format, args...)}
}
