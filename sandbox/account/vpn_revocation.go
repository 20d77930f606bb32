package account

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// typeRevocationList is the list of an endpoint's revoked client certificates. It
// is not a type that programs create: the API imports it, see
// [Account.ImportRevocationList].
const typeRevocationList = "aws:ec2clientvpn/clientCertificateRevocationList:ClientCertificateRevocationList"

// maxRevoked is a quota of Client VPN:
// https://docs.aws.amazon.com/vpn/latest/clientvpn-admin/limits.html
const maxRevoked = 20000

// ImportRevocationList replaces the list of a Client VPN endpoint's revoked client
// certificates, in PEM. It must be signed by a CA of the endpoint's clients.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportClientVpnClientCertificateRevocationList.html
func (a *Account) ImportRevocationList(ctx context.Context, region, endpointID, text string) error {
	if err := a.faults.strike(ctx, typeRevocationList, OpCreate); err != nil {
		return err
	}
	block, rest := pem.Decode([]byte(text))
	if block == nil || block.Type != "X509 CRL" || strings.TrimSpace(string(rest)) != "" {
		return refuse("InvalidParameterValue", "the revocation list is not one X509 CRL in PEM format")
	}
	crl, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return refuse("InvalidParameterValue", "the revocation list cannot be read: %v", err)
	}
	if n := len(crl.RevokedCertificateEntries); n > maxRevoked {
		return refuse("InvalidParameterValue", "the revocation list has %d entries, a Client VPN endpoint takes at most %d", n, maxRevoked)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	endpoint, err := v.vpnEndpointOf(endpointID, region)
	if err != nil {
		return err
	}
	if err := v.signedByClientCA(endpoint, crl); err != nil {
		return err
	}
	v.own(endpoint, typeRevocationList, endpoint.ID, map[string]any{"certificateRevocationList": text, "number": crl.Number.String()})
	return a.commit(v)
}

// signedByClientCA looks for the signer of a list in the chains of the endpoint's
// clients.
func (v *view) signedByClientCA(endpoint *Object, crl *x509.RevocationList) error {
	for _, reference := range rootChains(endpoint) {
		certificate := v.certificateOf(reference, endpoint.Region)
		if certificate == nil {
			continue
		}
		text := certificate.in().String("certificateChain")
		if text == "" {
			text = certificate.in().String("certificateBody")
		}
		chain, err := parseCertificates("certificateChain", text)
		if err != nil {
			return err
		}
		for _, ca := range chain {
			if crl.CheckSignatureFrom(ca) == nil {
				return nil
			}
		}
	}
	return refuse("InvalidParameterValue", "the revocation list was issued by %q, which is no CA of the clients of endpoint %q, or has another key", crl.Issuer, endpoint.ID)
}

// ExportRevocationList returns the list that was imported last, or "".
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ExportClientVpnClientCertificateRevocationList.html
func (a *Account) ExportRevocationList(ctx context.Context, region, endpointID string) (string, error) {
	if err := a.faults.strike(ctx, typeRevocationList, OpRead); err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.view()
	if _, err := v.vpnEndpointOf(endpointID, region); err != nil {
		return "", err
	}
	list := v.get(typeRevocationList, endpointID)
	if list == nil {
		return "", nil
	}
	return list.out().String("certificateRevocationList"), nil
}
