// Package vpn proves with a real OpenVPN server and real clients, in network
// namespaces of their own, that the profiles of `strongroom vpn` let people in and
// that a revocation keeps them out.
//
// It does not prove how AWS' own endpoint behaves: how fast it applies a
// revocation list, or what it does when one has run out.
package vpn
