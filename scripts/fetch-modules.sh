#!/usr/bin/env bash
# Downloads the Go modules that strongroom is built from; with the argument `tools` also,
# in the background, those of the sandbox's tools, while strongroom compiles. A build
# would fetch its own, but only as many at once as the machine has processors, with
# nothing to compile meanwhile. What cannot be fetched is told by the build that needs it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
export GOMAXPROCS=16 GOWORK=off

go list -deps ./cmd/strongroom >/dev/null 2>&1
[ "${1:-}" = tools ] || exit 0

# In the order in which they are built (sandbox/toolchain).
for tool in kubernetes vault pulumi etcd flux/source-controller flux/kustomize-controller flux/helm-controller; do
	(cd "tools/$tool" && go list -deps -tags minimal tool ./...)
done </dev/null >/dev/null 2>&1 &
