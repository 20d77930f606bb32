#!/bin/sh
# Vault's first start. Every step can be killed before and after what it does: run
# again, the script finds out how far it came and goes on from there.
#
#   1  initialised already and finished? then there is nothing to do
#   2  prove that the recovery secret can be written, before anything irreversible
#   3  init; the recovery keys and the root token are only in memory
#   4  store the recovery keys, and until step 7 the root token, in Secrets Manager
#   5  two audit devices, then the policy, the mount and the role of the provisioner,
#      and the role of the snapshots, which must not wait for anybody
#   6  verify that the provisioner can log in
#   7  revoke the root token and take it out of the secret
#
# The recovery secret is one JSON object on AWSCURRENT whose "state" is
#   empty      nothing was stored yet (what step 2 leaves in a secret without a value)
#   stored     recovery keys and root token (step 4)
#   finishing  recovery keys; the version before it still has the revoked token
#   finished   recovery keys; no version with a label has a token (step 7)
#
# Secrets Manager is spoken to by store.sh, which runs beside this script in the image
# that has the AWS CLI. The two meet in HANDOVER, which is memory and not a disk.
#
# Environment:
#   VAULT_PEERS            addresses of all servers; the first one is initialised
#   VAULT_CACERT           the platform's CA
#   VAULT_TLS_SERVER_NAME  optional, the name that all servers' certificates have
#   HANDOVER               folder on tmpfs, shared with store.sh
#   PROVISIONER_TOKEN_FILE token of the service account that logs in as provisioner
#   PROVISIONER_NAMESPACE, PROVISIONER_SERVICE_ACCOUNT, PROVISIONER_AUDIENCE
#                          whom the role is for
#   PROVISIONER_POLICY_FILE the policy of the role
#   SNAPSHOT_SERVICE_ACCOUNT, SNAPSHOT_POLICY_FILE
#                          optional: who takes snapshots, in the same namespace and with
#                          the same audience, and the policy of that role
#   AUDIT_FILE             where each server writes the first audit log
#   KUBERNETES_HOST        the API server that reviews tokens; by default the cluster's own
#   KUBERNETES_CA_FILE     optional, its CA, for servers outside of the cluster
#   TOKEN_REVIEWER_FILE    optional, the token that reviews, for servers outside of the
#                          cluster; without it and with KUBERNETES_CA_FILE, each client
#                          reviews its own
#   RECOVERY_SHARES, RECOVERY_THRESHOLD  5 and 3 by default
#   WAIT_SECONDS           how long to wait for anything, 900 by default
#
# Exit codes: 0 finished, 1 try again, 3 a person has to act (the last line says how).
set -eu
umask 077

: "${VAULT_PEERS:?addresses of all servers, the first one is initialised}"
: "${VAULT_CACERT:?file with the CA of the servers}"
: "${HANDOVER:?folder on tmpfs that is shared with store.sh}"
: "${PROVISIONER_TOKEN_FILE:?file with the token of the provisioner}"
: "${PROVISIONER_NAMESPACE:?namespace of the service account of the provisioner}"
: "${PROVISIONER_SERVICE_ACCOUNT:?service account of the provisioner}"
: "${PROVISIONER_AUDIENCE:?audience in the token of the provisioner}"
: "${PROVISIONER_POLICY_FILE:?file with the policy of the provisioner}"
: "${AUDIT_FILE:?where each server writes its audit log}"
SNAPSHOT_SERVICE_ACCOUNT=${SNAPSHOT_SERVICE_ACCOUNT:-}
[ -z "$SNAPSHOT_SERVICE_ACCOUNT" ] || : "${SNAPSHOT_POLICY_FILE:?file with the policy of the snapshots}"
KUBERNETES_HOST=${KUBERNETES_HOST:-https://kubernetes.default.svc}
KUBERNETES_CA_FILE=${KUBERNETES_CA_FILE:-}
TOKEN_REVIEWER_FILE=${TOKEN_REVIEWER_FILE:-}
RECOVERY_SHARES=${RECOVERY_SHARES:-5}
RECOVERY_THRESHOLD=${RECOVERY_THRESHOLD:-3}
WAIT_SECONDS=${WAIT_SECONDS:-900}

MOUNT=provisioner
ROLE=provisioner
SNAPSHOT_ROLE=snapshot
FIRST_PEER=${VAULT_PEERS%% *}
# The CLI keeps its files, if any, in memory too, and takes no token from elsewhere.
export HOME="$HANDOVER" VAULT_CACERT
unset VAULT_TOKEN VAULT_ADDR VAULT_NAMESPACE || true

say() { printf '%s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
person() { printf 'a person has to act: %s\n' "$*" >&2; exit 3; }

work=$HANDOVER/init
mkdir -p "$work"
trap 'rm -rf "$work" "$HANDOVER/value"' EXIT
trap 'exit 1' HUP INT TERM

# --- Secrets Manager, through store.sh ---------------------------------------------

requests=0

# ask VERB lets store.sh do one thing and waits for it. The value, if there is one, is
# read from HANDOVER/value and written to HANDOVER/value. A request has a number of its
# own, so that an answer to an earlier one is never taken for it.
ask() {
    requests=$((requests + 1))
    asked=$(date +%s)
    number="$asked-$$-$requests"
    printf '%s %s\n' "$number" "$1" > "$HANDOVER/request.new"
    mv "$HANDOVER/request.new" "$HANDOVER/request"
    until [ -f "$HANDOVER/answer" ] && read -r answered outcome < "$HANDOVER/answer" && [ "$answered" = "$number" ]; do
        if [ $(($(date +%s) - asked)) -ge "$WAIT_SECONDS" ]; then
            printf 'recovery secret, %s: no answer from store.sh in %s s\n' "$1" "$WAIT_SECONDS" >&2
            return 1
        fi
        sleep 0.2
    done
    [ "$outcome" = ok ]
}

# must_ask VERB is for what can be tried again from the start.
must_ask() {
    ask "$1" || fail "recovery secret, $1: the log of store.sh says why"
}

# read_secret sets state, keys and root from the recovery secret.
read_secret() {
    must_ask get
    document=$(tr -d ' \t\r\n' < "$HANDOVER/value")
    rm -f "$HANDOVER/value"
    state=$(printf '%s' "$document" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p')
    keys=$(printf '%s' "$document" | sed -n 's/.*"recovery_keys_b64":\[\([^]]*\)\].*/\1/p')
    root=$(printf '%s' "$document" | sed -n 's/.*"root_token":"\([^"]*\)".*/\1/p')
    threshold=$(printf '%s' "$document" | sed -n 's/.*"recovery_keys_threshold":\([0-9]*\).*/\1/p')
    document=
    case "$state" in
    '' | empty | stored | finishing | finished) ;;
    *) person "the recovery secret has the unknown state \"$state\": put back an earlier version of it" ;;
    esac
    if [ "$state" != empty ] && [ -n "$state" ] && [ -z "$keys" ]; then
        person "the recovery secret says \"$state\" but holds no recovery keys: put back an earlier version of it"
    fi
}

# write_secret STATE [root] stores the recovery keys, with the root token where it says so.
# printf is part of the shell: no value is ever an argument of a process.
write_secret() {
    {
        printf '{"state":"%s","recovery_keys_b64":[%s],"recovery_keys_threshold":%s' "$1" "$keys" "$threshold"
        [ "${2:-}" != root ] || printf ',"root_token":"%s"' "$root"
        printf '}\n'
    } > "$HANDOVER/value"
    ask put || return 1
    rm -f "$HANDOVER/value"
}

# --- Vault --------------------------------------------------------------------------

# status PEER prints "true false" (initialised, sealed), or nothing when there is no answer.
status() {
    # 0 is unsealed, 2 is sealed; both have the answer on standard output.
    VAULT_ADDR=$1 vault status -format=json 2> "$work/status.err" > "$work/status" || [ $? -eq 2 ] || return 0
    tr -d ' \t\r\n' < "$work/status" |
        sed -n 's/.*"initialized":\([a-z]*\).*"sealed":\([a-z]*\).*/\1 \2/p'
}

# wait_for PEER WHAT PATTERN waits until the status of a server matches.
wait_for() {
    started=$(date +%s)
    said=
    while :; do
        now=$(status "$1")
        # shellcheck disable=SC2254 # the pattern is meant to be one
        case "$now" in
        $3) return 0 ;;
        esac
        [ $(($(date +%s) - started)) -lt "$WAIT_SECONDS" ] ||
            fail "$1 is not $2 after $WAIT_SECONDS s (initialised, sealed: ${now:-no answer, $(tail -n 1 "$work/status.err")})"
        # "true true" is initialised and sealed.
        [ "${now:-no answer}" = "$said" ] || say "waiting until $1 is $2 (initialised, sealed: ${now:-no answer})"
        said=${now:-no answer}
        sleep 0.5
    done
}

# wait_active waits until the first server is unsealed and knows a leader, so that
# whatever is written to it is forwarded to there.
wait_active() {
    wait_for "$FIRST_PEER" "unsealed (KMS does it)" 'true false'
    started=$(date +%s)
    until tr -d ' \t\r\n' < "$work/status" | grep -q '"leader_address":"http'; do
        [ $(($(date +%s) - started)) -lt "$WAIT_SECONDS" ] ||
            fail "$FIRST_PEER knows no leader after $WAIT_SECONDS s: are enough of $VAULT_PEERS up?"
        sleep 0.5
        status "$FIRST_PEER" > /dev/null
    done
    export VAULT_ADDR="$FIRST_PEER"
}

# as_root runs the CLI with the root token, which is in its environment only.
as_root() { VAULT_TOKEN=$root vault "$@"; }

# root_valid tells a root token that was revoked (1) from one that works (0); anything
# else ends the script, because then it is not known.
root_valid() {
    [ -n "$root" ] || return 1
    if as_root token lookup > /dev/null 2> "$work/lookup.err"; then return 0; fi
    grep -q 'Code: 403' "$work/lookup.err" || fail "cannot look up the root token: $(tail -n 1 "$work/lookup.err")"
    return 1
}

# --- Steps --------------------------------------------------------------------------

step_1_finished() {
    say "step 1: is Vault initialised, and was this finished?"
    wait_for "$FIRST_PEER" "answering" '* *'
    initialised=$(status "$FIRST_PEER")
    initialised=${initialised%% *}
    read_secret
    case "$initialised $state" in
    'true finished')
        say "step 1: yes, nothing to do"
        exit 0
        ;;
    'true stored' | 'true finishing')
        say "step 1: initialised, going on after \"$state\""
        ;;
    'true '*)
        person "Vault is initialised, but its recovery keys are not in the recovery secret: this script was" \
            "killed between steps 3 and 4, and nothing was put into Vault yet. Empty the storage" \
            "(reset-empty in docs/vault-operations.md) and run this job again"
        ;;
    'false stored' | 'false finishing' | 'false finished')
        person "$FIRST_PEER is not initialised, but the recovery secret holds the keys of a Vault (\"$state\"):" \
            "the server has lost its storage, or another Vault was wiped. If the other servers still have the" \
            "data, it joins them by itself once it can reach them; else restore a snapshot (docs/vault-operations.md)." \
            "To begin anew without the old data: docs/vault-operations.md"
        ;;
    'false '*)
        say "step 1: no"
        ;;
    *) fail "$FIRST_PEER gave no clear answer: \"$initialised\"" ;;
    esac
}

step_2_prove() {
    say "step 2: proving that the recovery secret can be written"
    # A version with a label of its own: what is on AWSCURRENT is never overwritten.
    must_ask probe
}

step_3_init() {
    # A server that lost its disk, or has not joined yet, says that it is not initialised
    # while the others are a Vault already.
    for peer in $VAULT_PEERS; do
        wait_for "$peer" "answering" '* *'
        case "$(status "$peer")" in
        'false '*) ;;
        *) person "$peer is initialised and $FIRST_PEER is not: initialising it would make a second Vault." \
            "See \`vault operator raft list-peers\` at $peer" ;;
        esac
    done
    say "step 3: initialising $FIRST_PEER ($RECOVERY_SHARES recovery keys, $RECOVERY_THRESHOLD needed)"
    # An answer that comes too late would be lost, and the keys with it.
    VAULT_ADDR=$FIRST_PEER VAULT_CLIENT_TIMEOUT=300s vault operator init -format=json \
        -recovery-shares="$RECOVERY_SHARES" -recovery-threshold="$RECOVERY_THRESHOLD" \
        2> "$work/init.err" > "$work/init" || fail "init: $(tail -n 1 "$work/init.err")"
    document=$(tr -d ' \t\r\n' < "$work/init")
    rm -f "$work/init"
    keys=$(printf '%s' "$document" | sed -n 's/.*"recovery_keys_b64":\[\([^]]*\)\].*/\1/p')
    root=$(printf '%s' "$document" | sed -n 's/.*"root_token":"\([^"]*\)".*/\1/p')
    threshold=$RECOVERY_THRESHOLD
    document=
    if [ -z "$keys" ] || [ -z "$root" ]; then
        person "init answered without recovery keys: is the seal awskms? Nothing was put into Vault:" \
            "empty the storage (reset-empty in docs/vault-operations.md), correct it, and run this job again"
    fi
}

step_4_store() {
    say "step 4: storing the recovery keys"
    # The keys are nowhere else: this goes on for as long as the pod does.
    until write_secret stored root; do
        say "step 4: NOT stored yet, and the keys are only in this pod: trying again, do not delete it"
        sleep 5
    done
    state=stored
}

step_5_provisioner() {
    say "step 5: audit devices, and the policy, the mount and the role of the provisioner"
    as_root audit list -format=json > "$work/audit" 2> "$work/audit.err" ||
        grep -q 'No audit devices' "$work/audit" "$work/audit.err" ||
        fail "audit devices: $(tail -n 1 "$work/audit.err")"
    # Two, because Vault answers nobody when it can write to none of its devices.
    if ! grep -q '"file/"' "$work/audit"; then
        as_root audit enable -path=file file file_path="$AUDIT_FILE" mode=0600 > /dev/null
    fi
    if ! grep -q '"stdout/"' "$work/audit"; then
        as_root audit enable -path=stdout file file_path=stdout > /dev/null
    fi
    as_root policy write "$ROLE" "$PROVISIONER_POLICY_FILE" > /dev/null
    as_root auth list -format=json > "$work/auth"
    if ! grep -q "\"$MOUNT/\"" "$work/auth"; then
        as_root auth enable -path="$MOUNT" -description="Pulumi: what the first start made" kubernetes > /dev/null
    fi
    set -- kubernetes_host="$KUBERNETES_HOST"
    if [ -n "$KUBERNETES_CA_FILE" ]; then
        set -- "$@" kubernetes_ca_cert=@"$KUBERNETES_CA_FILE" disable_local_ca_jwt=true
    fi
    if [ -n "$TOKEN_REVIEWER_FILE" ]; then
        set -- "$@" token_reviewer_jwt=@"$TOKEN_REVIEWER_FILE"
    fi
    as_root write "auth/$MOUNT/config" "$@" > /dev/null
    as_root write "auth/$MOUNT/role/$ROLE" \
        bound_service_account_names="$PROVISIONER_SERVICE_ACCOUNT" \
        bound_service_account_namespaces="$PROVISIONER_NAMESPACE" \
        audience="$PROVISIONER_AUDIENCE" \
        token_policies="$ROLE" token_ttl=1h token_max_ttl=2h > /dev/null
    if [ -n "$SNAPSHOT_SERVICE_ACCOUNT" ]; then
        as_root policy write "$SNAPSHOT_ROLE" "$SNAPSHOT_POLICY_FILE" > /dev/null
        as_root write "auth/$MOUNT/role/$SNAPSHOT_ROLE" \
            bound_service_account_names="$SNAPSHOT_SERVICE_ACCOUNT" \
            bound_service_account_namespaces="$PROVISIONER_NAMESPACE" \
            audience="$PROVISIONER_AUDIENCE" \
            token_policies="$SNAPSHOT_ROLE" token_no_default_policy=true token_ttl=15m token_max_ttl=1h > /dev/null
    fi
}

step_6_verify() {
    say "step 6: logging in as the provisioner"
    token=$(vault write -field=token "auth/$MOUNT/login" role="$ROLE" jwt=@"$PROVISIONER_TOKEN_FILE" 2> "$work/login.err") ||
        return 1
    VAULT_TOKEN=$token vault token capabilities sys/policies/acl/any > "$work/capabilities" 2> "$work/login.err" || return 1
    VAULT_TOKEN=$token vault token revoke -self > /dev/null 2>&1 || true
    token=
    grep -q create "$work/capabilities" || {
        printf 'the provisioner may not write policies\n' > "$work/login.err"
        return 1
    }
}

step_7_revoke() {
    say "step 7: revoking the root token and taking it out of the recovery secret"
    if root_valid; then
        as_root token revoke -self > /dev/null
    fi
    # Secrets Manager keeps the version before as AWSPREVIOUS. The second write pushes
    # the one with the revoked token out of that place too.
    if [ "$state" = stored ]; then
        write_secret finishing || fail "recovery secret, put: the log of store.sh says why"
        state=finishing
    fi
    root=
    write_secret finished || fail "recovery secret, put: the log of store.sh says why"
    say "step 7: finished"
}

step_1_finished
if [ "$initialised" = false ]; then
    step_2_prove
    step_3_init
    step_4_store
fi
wait_active
if [ "$state" = stored ] && root_valid; then
    step_5_provisioner
    step_6_verify || fail "the provisioner cannot log in: $(tail -n 1 "$work/login.err")"
else
    # The root token goes only after the provisioner was seen to log in, so this is
    # after step 7 began, unless somebody else revoked the token.
    step_6_verify || person "the root token is revoked and the provisioner cannot log in" \
        "($(tail -n 1 "$work/login.err")): make a root token, put it into the recovery secret" \
        "(generate-root in docs/vault-operations.md), and run this job again"
fi
step_7_revoke
