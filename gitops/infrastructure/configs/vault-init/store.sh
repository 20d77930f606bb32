#!/bin/sh
# Reads and writes the one recovery secret for init.sh, which runs beside it in an
# image without the AWS CLI. The two meet in HANDOVER, which is memory and not a disk:
#
#   request  "<number> <verb>"       written by init.sh, in place by a rename
#   value    the secret              in or out, only while a request is under way
#   answer   "<number> ok|failed"    written by this script, in place by a rename
#
# A request without its answer is done again after a restart: each verb may be done twice.
#
#   get    the value on AWSCURRENT, or {"state":"empty"} where there is none yet
#   probe  write a version under a label of its own and read it back
#   put    write a version on AWSCURRENT
#
# Environment: HANDOVER, RECOVERY_SECRET_ID (name or ARN), and what the AWS CLI reads:
# AWS_REGION, the credentials of EKS Pod Identity, and AWS_ENDPOINT_URL_SECRETS_MANAGER
# where Secrets Manager is elsewhere.
set -eu
umask 077

: "${HANDOVER:?folder on tmpfs that is shared with init.sh}"
: "${RECOVERY_SECRET_ID:?name or ARN of the recovery secret}"
export HOME="$HANDOVER" AWS_PAGER=''
trap 'exit 0' HUP INT TERM

LABEL=strongroom-probe
EMPTY='{"state":"empty"}'

complain() { printf 'recovery secret, %s: %s\n' "$1" "$(grep -v '^$' "$HANDOVER/aws.err" | tail -n 1)" >&2; }

# read_label LABEL writes the value with that label to HANDOVER/value.new.
read_label() {
    aws secretsmanager get-secret-value --secret-id "$RECOVERY_SECRET_ID" --version-stage "$1" \
        --query SecretString --output text > "$HANDOVER/value.new" 2> "$HANDOVER/aws.err"
}

# write_label LABEL FILE makes a version. The value is read from the file: it is no argument.
write_label() {
    aws secretsmanager put-secret-value --secret-id "$RECOVERY_SECRET_ID" --version-stages "$1" \
        --secret-string "file://$2" > /dev/null 2> "$HANDOVER/aws.err"
}

get() {
    if read_label AWSCURRENT; then
        mv "$HANDOVER/value.new" "$HANDOVER/value"
        return 0
    fi
    # The secret is there but was never given a value. Anything else (no right, no
    # secret, no network) is an error, or the keys of a Vault could be overlooked.
    grep -q ResourceNotFoundException "$HANDOVER/aws.err" &&
        aws secretsmanager describe-secret --secret-id "$RECOVERY_SECRET_ID" > /dev/null 2> "$HANDOVER/aws.err" &&
        printf '%s\n' "$EMPTY" > "$HANDOVER/value"
}

probe() {
    printf '%s\n' "$EMPTY" > "$HANDOVER/probe"
    write_label "$LABEL" "$HANDOVER/probe" && read_label "$LABEL" &&
        [ "$(tr -d ' \n' < "$HANDOVER/value.new")" = "$EMPTY" ]
}

put() { write_label AWSCURRENT "$HANDOVER/value"; }

number=
[ ! -f "$HANDOVER/answer" ] || read -r number _ < "$HANDOVER/answer"
while :; do
    if [ -f "$HANDOVER/request" ] && read -r asked verb < "$HANDOVER/request" && [ "$asked" != "$number" ]; then
        outcome=ok
        : > "$HANDOVER/aws.err"
        case "$verb" in
        get | probe | put) "$verb" || { outcome=failed; complain "$verb"; } ;;
        *) outcome=failed; printf 'unknown request %s\n' "$verb" >&2 ;;
        esac
        rm -f "$HANDOVER/value.new" "$HANDOVER/probe"
        number=$asked
        printf '%s %s\n' "$number" "$outcome" > "$HANDOVER/answer.new"
        mv "$HANDOVER/answer.new" "$HANDOVER/answer"
    fi
    sleep 0.2
done
