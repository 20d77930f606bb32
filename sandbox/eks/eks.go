// Package eks holds the lockfile of the real EKS component, @pulumi/eks, which
// the sandbox runs under Node. The lockfile names no registry, so npm takes the
// packages from the one the machine is set up for and checks them against the
// hashes here.
package eks

import _ "embed"

// Package is package.json.
//
//go:embed package.json
var Package []byte

// Lock is package-lock.json. To change it, edit package.json and run
// `npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts`.
//
//go:embed package-lock.json
var Lock []byte
