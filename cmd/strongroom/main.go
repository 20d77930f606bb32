// Command strongroom brings the stacks up, previews and destroys them, on AWS
// or in the sandbox on one machine.
package main

import (
	"os"

	"github.com/strongroom-platform/strongroom/cmd/strongroom/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
