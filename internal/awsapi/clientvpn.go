package awsapi

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// ec2Version is the version of the EC2 API.
const ec2Version = "2016-11-15"

// ImportClientVPNRevocationList replaces the revocation list of a Client VPN
// endpoint. AWS ends the sessions that are open.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportClientVpnClientCertificateRevocationList.html
func (s *Session) ImportClientVPNRevocationList(ctx context.Context, endpointID, pem string) error {
	const action = "ImportClientVpnClientCertificateRevocationList"
	endpoint, ok := s.override("ec2")
	if !ok {
		endpoint = "https://ec2." + s.Region + "." + s.suffix()
	}
	if !strings.HasSuffix(endpoint, "/") {
		endpoint += "/"
	}
	body := url.Values{
		"Action": {action}, "Version": {ec2Version}, "ClientVpnEndpointId": {endpointID}, "CertificateRevocationList": {pem},
	}.Encode()
	a, err := s.send(ctx, request{
		service: "ec2", method: http.MethodPost, url: endpoint, body: []byte(body),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	var done struct {
		Return bool `xml:"return"`
	}
	if err := xml.Unmarshal(a.body, &done); err != nil || !done.Return {
		return fmt.Errorf("%s: the answer is not that of EC2: it does not say <return>true</return>", action)
	}
	return nil
}
