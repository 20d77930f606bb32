// Package vpnca is the certificate authority of a Client VPN endpoint: it
// issues, renews and revokes the certificates of people, keeps the list of what
// was issued, signs the revocation list, and writes profiles that a stock
// OpenVPN client takes. It needs no Pulumi.
//
//	authority := &vpnca.Authority{
//		Certificate: ca, Key: key, // any crypto.Signer: a file's key, or one in KMS
//		Store:       &vpnca.FileStore{Path: "vpn/index.json"},
//		By:          "somebody@laptop",
//	}
//	entry, err := authority.Enrol(ctx, vpnca.Enrolment{
//		Name: "alice", File: "alice.ovpn",
//		Remote: vpnca.Remote{Host: dnsName, ServerName: "vpn.tooling.internal"},
//	})
//
// The index is one JSON document in one place. Every change reads it, makes the
// new one with its certificate or revocation list in it, and writes it only if
// nobody else has written meanwhile; otherwise it begins again. So two people can
// issue at once, and the index and the revocation list never disagree.
//
// A run that is killed leaves either nothing, or something that the same command
// finishes when it is run again: a key waits beside the profile until the profile
// is there, and a revocation list is marked as imported only after the endpoint
// has it.
package vpnca
