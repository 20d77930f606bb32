#!/usr/bin/env bash
# For people who know the old way: generate-client.sh <name> [option...]
#
# It writes <name>.ovpn, as before. What is new: each person has a certificate of
# their own, and `strongroom vpn revoke <name>` locks that person out and nobody
# else. Options are those of `strongroom vpn issue`, such as --passphrase.
set -euo pipefail

if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
  echo "usage: ${0##*/} <name> [option of 'strongroom vpn issue'...]" >&2
  exit 2
fi
repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
strongroom="${STRONGROOM:-$(command -v strongroom || true)}"
if [ -z "$strongroom" ]; then
  strongroom="${STRONGROOM_SANDBOX_DIR:-$repository/.sandbox}/bin/strongroom"
fi
if [ ! -x "$strongroom" ]; then
  echo "${0##*/}: there is no strongroom command: run 'make build' in $repository" >&2
  exit 1
fi
exec "$strongroom" vpn issue --cwd "$repository" "$@"
