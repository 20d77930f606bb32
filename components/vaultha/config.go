package vaultha

import (
	"fmt"
	"strings"
)

// Server is what the configuration of Vault's servers is made of. It is the same
// for all of them: what differs (addresses, the name of the node) comes from the
// environment that the chart sets.
type Server struct {
	// Replicas is the number of servers.
	Replicas int
	// Region and UnsealKeyARN are where the seal's key is.
	Region, UnsealKeyARN string
}

// ServerConfig is the configuration of Vault's servers in HCL.
//
// Upstream: https://developer.hashicorp.com/vault/docs/configuration.
func ServerConfig(s Server) string {
	var out strings.Builder
	block := func(format string, values ...any) { fmt.Fprintf(&out, format, values...) }
	block(`ui = true
# Raft's data is memory mapped: locked, it would have to fit into memory.
disable_mlock = true

listener "tcp" {
  address         = "[::]:%d"
  cluster_address = "[::]:%d"
  tls_cert_file   = %q
  tls_key_file    = %q
  tls_min_version = "tls12"
}

storage "raft" {
  path = %q
  # A lost leader is noticed in seconds; the default is for slow machines.
  performance_multiplier = 1
`, apiPort, clusterPort, tlsPath+"/tls.crt", tlsPath+"/tls.key", dataPath)
	for i := range s.Replicas {
		block(`
  retry_join {
    leader_api_addr       = %q
    leader_ca_cert_file   = %q
    leader_tls_servername = %q
  }
`, peerAddress(i), tlsPath+"/ca.crt", peerName(i))
	}
	block(`}

seal "awskms" {
  region     = %q
  kms_key_id = %q
}

service_registration "kubernetes" {}

telemetry {
  prometheus_retention_time = "24h"
  disable_hostname          = true
}
`, s.Region, s.UnsealKeyARN)
	return out.String()
}
