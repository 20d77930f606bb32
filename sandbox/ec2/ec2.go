// Package ec2 is what the simulated account answers of the EC2 API: the
// revocation lists of Client VPN endpoints. Everything else of EC2 is reached
// through the provider.
package ec2

import (
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/strongroom-platform/strongroom/sandbox/account"
	"github.com/strongroom-platform/strongroom/sandbox/awsapi"
)

// Scope is the service in the scope of signatures.
const Scope = "ec2"

const (
	apiVersion = "2016-11-15"
	namespace  = "http://ec2.amazonaws.com/doc/" + apiVersion + "/"
	// maxBody has room for a list of 20,000 certificates, form-encoded.
	maxBody = 8 << 20
)

// Server answers the Query protocol, for requests of the account's operator.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html
type Server struct {
	Account     *account.Account
	Credentials awsapi.Credentials
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	Log *slog.Logger
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	answer, err := s.do(w, r, id)
	status := http.StatusOK
	if err != nil {
		refused := asError(err)
		status = refused.Status
		answer = failure{Errors: []failed{{Code: refused.Code, Message: refused.Message}}, RequestID: id}
		s.Log.Info("request refused", "service", Scope, "code", refused.Code, "message", refused.Message)
	}
	text, err := xml.Marshal(answer)
	if err != nil {
		http.Error(w, "encode the answer: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(status)
	if _, err := w.Write(append([]byte(xml.Header), text...)); err != nil {
		s.Log.Info("client went away", "service", Scope, "error", err)
	}
}

func (s *Server) do(w http.ResponseWriter, r *http.Request, id string) (any, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, awsapi.Refuse("MalformedInput", "the request body could not be read: %v", err)
	}
	call, err := awsapi.Authenticate(Scope, s.Credentials, s.Now, r, body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Method != http.MethodPost {
		return nil, awsapi.Refuse("MalformedInput", "expected a form-encoded POST")
	}
	if call.Caller.ARN != account.OperatorARN {
		return nil, &awsapi.Error{Status: http.StatusForbidden, Code: "UnauthorizedOperation",
			Message: "You are not authorized to perform this operation. User: " + call.Caller.ARN + " is not authorized to perform: ec2:" + form.Get("Action")}
	}
	if version := form.Get("Version"); version != apiVersion {
		return nil, awsapi.Refuse("NoSuchVersion", "the simulated EC2 knows version %s of the API, not %q", apiVersion, version)
	}
	switch action := form.Get("Action"); action {
	case "ImportClientVpnClientCertificateRevocationList":
		return s.importList(r, call.Region, form, id)
	case "ExportClientVpnClientCertificateRevocationList":
		return s.exportList(r, call.Region, form, id)
	default:
		return nil, awsapi.Refuse("InvalidAction", "the simulated EC2 does not know %q: use the provider", action)
	}
}

// known refuses parameters that would be ignored.
func known(form url.Values, names ...string) error {
	allowed := map[string]bool{"Action": true, "Version": true}
	for _, name := range names {
		allowed[name] = true
	}
	for name := range form {
		if !allowed[name] {
			return awsapi.Refuse("UnknownParameter", "the parameter %s is not recognized by the simulated EC2", name)
		}
	}
	for _, name := range names {
		if form.Get(name) == "" {
			return awsapi.Refuse("MissingParameter", "the request must contain the parameter %s", name)
		}
	}
	return nil
}

type importResult struct {
	XMLName   xml.Name `xml:"ImportClientVpnClientCertificateRevocationListResponse"`
	Namespace string   `xml:"xmlns,attr"`
	RequestID string   `xml:"requestId"`
	Return    bool     `xml:"return"`
}

func (s *Server) importList(r *http.Request, region string, form url.Values, id string) (any, error) {
	if err := known(form, "ClientVpnEndpointId", "CertificateRevocationList"); err != nil {
		return nil, err
	}
	err := s.Account.ImportRevocationList(r.Context(), region, form.Get("ClientVpnEndpointId"), form.Get("CertificateRevocationList"))
	return importResult{Namespace: namespace, RequestID: id, Return: true}, err
}

type exportResult struct {
	XMLName   xml.Name    `xml:"ExportClientVpnClientCertificateRevocationListResponse"`
	Namespace string      `xml:"xmlns,attr"`
	RequestID string      `xml:"requestId"`
	List      string      `xml:"certificateRevocationList,omitempty"`
	Status    *listStatus `xml:"status,omitempty"`
}

type listStatus struct {
	Code string `xml:"code"`
}

func (s *Server) exportList(r *http.Request, region string, form url.Values, id string) (any, error) {
	if err := known(form, "ClientVpnEndpointId"); err != nil {
		return nil, err
	}
	list, err := s.Account.ExportRevocationList(r.Context(), region, form.Get("ClientVpnEndpointId"))
	answer := exportResult{Namespace: namespace, RequestID: id, List: list}
	if list != "" {
		answer.Status = &listStatus{Code: "active"}
	}
	return answer, err
}

// failure is an error as EC2 answers it:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
type failure struct {
	XMLName   xml.Name `xml:"Response"`
	Errors    []failed `xml:"Errors>Error"`
	RequestID string   `xml:"RequestID"`
}

type failed struct {
	Code    string
	Message string
}

func asError(err error) *awsapi.Error {
	var refusal *account.Error
	if !errors.As(err, &refusal) {
		return awsapi.AsError(err)
	}
	status := http.StatusBadRequest
	if refusal.Retryable {
		status = http.StatusServiceUnavailable
	}
	return &awsapi.Error{Status: status, Code: refusal.Code, Message: refusal.Message}
}
