#!/usr/bin/env bash
# What the scheduled jobs run: refresh-vpn-crl.sh [stack]
#
# Refreshes the VPN's revocation list when it is time, and fails when anything of
# the VPN runs out soon. The CA's key comes from the stack's state, or from
# VPN_CA_KEY in PEM form, which never becomes an argument.
set -euo pipefail
umask 077

repository="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
strongroom="${STRONGROOM:-${STRONGROOM_SANDBOX_DIR:-$repository/.sandbox}/bin/strongroom}"
options=(--cwd "$repository" --stack "${1:-tooling}" --sandbox=false)
if [ -n "${VPN_CA_KEY:-}" ]; then
  folder="$(mktemp -d)"
  trap 'rm -rf "$folder"' EXIT
  printf '%s\n' "$VPN_CA_KEY" >"$folder/ca.key"
  options+=(--ca-key "$folder/ca.key")
fi
"$strongroom" vpn crl --refresh --check "${options[@]}"
