#!/bin/sh
# Puts the snapshot into the bucket, under the time it was taken.
#
# Environment: SNAPSHOT_FILE, SNAPSHOT_BUCKET, and what the AWS CLI reads.
set -eu

: "${SNAPSHOT_FILE:?the snapshot}"
: "${SNAPSHOT_BUCKET:?the bucket}"
export AWS_PAGER=''

key="snapshots/$(date -u +%Y/%m/%d/%H%M%SZ).snap"
# S3 refuses the object when what arrives does not have this checksum.
aws s3api put-object --bucket "$SNAPSHOT_BUCKET" --key "$key" --body "$SNAPSHOT_FILE" \
    --checksum-algorithm SHA256 > /dev/null
printf 's3://%s/%s\n' "$SNAPSHOT_BUCKET" "$key"
