// Command strongroom's root is an ordinary Pulumi program: `pulumi up -s tooling`
// with a stock CLI and stock plugins runs it. What a stack is made of stands in
// package stacks.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/strongroom-platform/strongroom/stacks"
)

func main() {
	pulumi.Run(stacks.Run)
}
