// Package plugin serves a Pulumi resource provider to the engine: it listens on
// loopback, tells the engine its port, keeps the connection back to the engine for
// logging and Construct, and ends when the engine is gone.
//
// A provider embeds Base, overrides the methods it implements and calls Serve from
// the command that stands behind `pulumi-resource-<name>` on PATH. Each provider
// instance the engine asks for is a process of its own.
//
// The protocol: https://pulumi-developer-docs.readthedocs.io/latest/docs/references/proto.html
package plugin
