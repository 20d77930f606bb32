// Command strongroom's root is an ordinary Pulumi program: `pulumi up -s tooling`
// with a stock CLI and stock plugins runs it. What a stack is made of stands in
// package stacks.
package main

import (
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/stacks"
)

func main() {
	host := &stacks.Host{}
	// It returns when the engine has ended, and not at all when the run failed: what was
	// lent to the provider of Vault then ends by itself.
	pulumi.Run(host.Run)
	if err := host.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
