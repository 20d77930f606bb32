package vaulthost

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

// What the stack makes for the chart and the Job, by the names that it and the
// tree in gitops/ have for them.
const (
	namespace       = "vault"
	valuesSecret    = "vault-helm-values"
	valuesKey       = "values.yaml"
	tlsSecret       = "vault-tls"
	serverAccount   = "vault"
	initAccount     = "vault-provisioner"
	snapshotAccount = "vault-snapshot"
	vaultAudience   = "vault"
)

// release is what the two Secrets say.
type release struct {
	replicas             int
	config, image        string
	ca, certificate, key []byte
	serverName           string
}

// read takes the Secrets apart.
func read(values, certificates *corev1.Secret) (release, error) {
	var chart struct {
		Server struct {
			Image struct{ Repository, Tag string }
			HA    struct {
				Replicas int
				Raft     struct{ Config string }
			}
		}
	}
	name := "Secret " + namespace + "/" + values.Name
	text, found := values.Data[valuesKey]
	if !found {
		return release{}, fmt.Errorf("%s has no key %q", name, valuesKey)
	}
	if err := yaml.Unmarshal(text, &chart); err != nil {
		return release{}, fmt.Errorf("%s, key %q: %w", name, valuesKey, err)
	}
	ha := chart.Server.HA
	if ha.Raft.Config == "" || ha.Replicas == 0 {
		return release{}, fmt.Errorf("%s, key %q: expected server.ha.replicas and server.ha.raft.config", name, valuesKey)
	}
	r := release{
		replicas: ha.Replicas, config: ha.Raft.Config, image: chart.Server.Image.Repository + ":" + chart.Server.Image.Tag,
		ca: certificates.Data["ca.crt"], certificate: certificates.Data["tls.crt"], key: certificates.Data["tls.key"],
	}
	block, _ := pem.Decode(r.certificate)
	if block == nil {
		return release{}, fmt.Errorf("the Secret %s/%s: tls.crt is no certificate in PEM", namespace, certificates.Name)
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil || len(leaf.DNSNames) == 0 {
		return release{}, fmt.Errorf("the Secret %s/%s: tls.crt is no certificate for a name", namespace, certificates.Name)
	}
	r.serverName = leaf.DNSNames[0]
	return r, nil
}
