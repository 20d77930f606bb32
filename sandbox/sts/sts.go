// Package sts is the simulated account's Security Token Service: it tells a
// signed request who it comes from, and turns the tokens of `aws eks get-token`
// into Kubernetes users for the control planes.
package sts

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/strongroom-platform/strongroom/sandbox/sigv4"
)

const (
	// presignedLife is how long STS accepts a presigned URL after its signing
	// time. X-Amz-Expires is ignored: every EKS client signs with 60 seconds and
	// uses the token for 14 minutes.
	// https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go
	presignedLife = 15 * time.Minute

	// maxBody is far more than GetCallerIdentity needs.
	maxBody = 64 << 10
)

// Identity is a principal of the simulated account.
type Identity struct {
	// Account is the 12-digit account number.
	Account string
	// ARN is the user's, such as arn:aws:iam::123456789012:user/sandbox-operator.
	ARN string
	// UserID is the unique id, such as AIDA…
	UserID string
}

// Credential is an access key's secret and its owner.
type Credential struct {
	Secret string
	// SessionToken is empty for a user's long-term key.
	SessionToken string
	Identity     Identity
}

// Credentials finds an access key of the account; false where there is none.
type Credentials func(accessKeyID string) (Credential, bool)

func (c Credentials) verifier(now func() time.Time) *sigv4.Verifier {
	return &sigv4.Verifier{
		Service: "sts", PresignedLife: presignedLife, Now: now,
		Keys: func(id string) (sigv4.Key, bool) {
			credential, found := c(id)
			return sigv4.Key{Secret: credential.Secret, SessionToken: credential.SessionToken}, found
		},
	}
}

// Server answers GetCallerIdentity, by GET and POST, for requests signed in
// their header or in their query. Everything else is InvalidAction.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
type Server struct {
	Credentials Credentials
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	Log *slog.Logger
}

// RootPath makes "//" the "/" that it is for AWS, which takes redundant slashes out
// before it checks a signature: Vault's AWS login sends "//" where "/" was signed. A mux
// would answer with a redirection.
func RootPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, rooted(r))
	})
}

func rooted(r *http.Request) *http.Request {
	if r.URL.Path == "/" || strings.Trim(r.URL.Path, "/") != "" {
		return r
	}
	copied := r.Clone(r.Context())
	copied.URL.Path, copied.URL.RawPath = "/", ""
	return copied
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r = rooted(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		s.fail(w, r, &sigv4.Error{Status: http.StatusBadRequest, Code: "MalformedInput", Message: "the request body could not be read"})
		return
	}
	identity, err := s.callerIdentity(r, body)
	if err != nil {
		var refused *sigv4.Error
		if !errors.As(err, &refused) {
			refused = &sigv4.Error{Status: http.StatusInternalServerError, Code: "InternalFailure", Message: err.Error()}
		}
		s.fail(w, r, refused)
		return
	}
	result := callerIdentityResult{Arn: identity.ARN, UserID: identity.UserID, Account: identity.Account}
	metadata := responseMetadata{RequestID: uuid.NewString()}
	if wantsJSON(r) {
		s.answer(w, http.StatusOK, "application/json", map[string]any{"GetCallerIdentityResponse": map[string]any{
			"GetCallerIdentityResult": result, "ResponseMetadata": metadata,
		}})
		return
	}
	s.answer(w, http.StatusOK, "text/xml", callerIdentityResponse{Result: result, Metadata: metadata})
}

func (s *Server) callerIdentity(r *http.Request, body []byte) (Identity, error) {
	signature, err := s.Credentials.verifier(s.Now).Verify(sigv4.FromHTTP(r, body))
	if err != nil {
		return Identity{}, err
	}
	form := r.URL.Query()
	if r.Method == http.MethodPost {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return Identity{}, &sigv4.Error{Status: http.StatusBadRequest, Code: "MalformedInput", Message: "the body is not form-encoded"}
		}
		for name, values := range posted {
			form[name] = append(form[name], values...)
		}
	}
	if action := form.Get("Action"); action != "GetCallerIdentity" || r.URL.Path != "/" && r.URL.Path != "" {
		return Identity{}, &sigv4.Error{Status: http.StatusBadRequest, Code: "InvalidAction",
			Message: "the simulated STS answers GetCallerIdentity only, not \"" + action + "\" at " + r.URL.Path}
	}
	credential, found := s.Credentials(signature.AccessKeyID)
	if !found {
		return Identity{}, errors.New("the access key was removed while the request was answered")
	}
	return credential.Identity, nil
}

type callerIdentityResult struct {
	Arn     string `json:"Arn"     xml:"Arn"`
	UserID  string `json:"UserId"  xml:"UserId"`
	Account string `json:"Account" xml:"Account"`
}

type responseMetadata struct {
	RequestID string `json:"RequestId" xml:"RequestId"`
}

type callerIdentityResponse struct {
	XMLName  xml.Name             `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetCallerIdentityResponse"`
	Result   callerIdentityResult `xml:"GetCallerIdentityResult"`
	Metadata responseMetadata     `xml:"ResponseMetadata"`
}

type errorBody struct {
	Type    string `json:"Type"    xml:"Type"`
	Code    string `json:"Code"    xml:"Code"`
	Message string `json:"Message" xml:"Message"`
}

type errorResponse struct {
	XMLName   xml.Name  `json:"-"         xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error     errorBody `json:"Error"     xml:"Error"`
	RequestID string    `json:"RequestId" xml:"RequestId"`
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, refused *sigv4.Error) {
	s.Log.Info("sts request refused", "code", refused.Code, "message", refused.Message)
	response := errorResponse{Error: errorBody{"Sender", refused.Code, refused.Message}, RequestID: uuid.NewString()}
	if wantsJSON(r) {
		s.answer(w, refused.Status, "application/json", response)
		return
	}
	s.answer(w, refused.Status, "text/xml", response)
}

func (s *Server) answer(w http.ResponseWriter, status int, contentType string, body any) {
	marshal := xml.Marshal
	if contentType == "application/json" {
		marshal = json.Marshal
	}
	text, err := marshal(body)
	if err != nil {
		s.Log.Error("sts answer could not be encoded", "error", err)
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	if _, err := w.Write(text); err != nil {
		s.Log.Info("sts client went away", "error", err)
	}
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}
