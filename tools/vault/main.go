// Command vault is HashiCorp Vault, server and command line, with the plugins
// that strongroom uses and no others.
//
// Vault's own `minimal` build tag leaves out every cloud and every database,
// which makes it build in a third of the time and the memory. Its plugin
// registry is filled while the program starts and has no function to add to
// it: register.go does what Vault's registry_full.go does, for the few plugins
// that are needed. The code of the server, of the plugins and of the command
// line is HashiCorp's, unchanged, at the versions in go.mod; serviceaccount.go
// moves the files that it looks for in a pod. Three libraries that Vault cannot
// be built without are nearly half of the compilation, for what strongroom does
// not use: finding servers in sixteen clouds, the agent's login with a service
// account of Google's, and Okta's push messages. In their place stands what
// without/ has; each says so where it is used.
//
// Build it with -tags minimal. Without the tag it would be the full Vault,
// with these plugins registered a second time.
package main

import (
	"fmt"
	"os"

	"github.com/hashicorp/vault/command"
)

func main() {
	if err := register(); err != nil {
		fmt.Fprintln(os.Stderr, "vault:", err)
		os.Exit(1)
	}
	moveServiceAccount()
	os.Exit(command.Run(os.Args[1:]))
}
