package plugin

import "github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

// TypeOf is the type token of a resource's URN, for example "tls:index/privateKey:PrivateKey".
func TypeOf(u string) string { return string(urn.URN(u).Type()) }

// NameOf is the Pulumi name of a resource's URN.
func NameOf(u string) string { return urn.URN(u).Name() }
