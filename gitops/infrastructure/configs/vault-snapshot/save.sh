#!/bin/sh
# Takes a snapshot of Vault into a file. What is in it is encrypted by Vault.
#
# Environment: VAULT_ADDR (of the active server), VAULT_CACERT, TOKEN_FILE (token of the
# service account), SNAPSHOT_FILE.
set -eu
umask 077

: "${VAULT_ADDR:?address of the active server}"
: "${TOKEN_FILE:?file with the token of the service account}"
: "${SNAPSHOT_FILE:?where the snapshot is written}"
unset VAULT_TOKEN || true

token=$(vault write -field=token auth/provisioner/login role=snapshot jwt=@"$TOKEN_FILE")
export VAULT_TOKEN="$token"
vault operator raft snapshot save "$SNAPSHOT_FILE.part"
vault token revoke -self > /dev/null || true
[ -s "$SNAPSHOT_FILE.part" ] || {
    echo 'error: the snapshot is empty' >&2
    exit 1
}
mv "$SNAPSHOT_FILE.part" "$SNAPSHOT_FILE"
printf 'snapshot of %s: %s bytes\n' "$VAULT_ADDR" "$(wc -c < "$SNAPSHOT_FILE")"
