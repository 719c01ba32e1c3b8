#!/usr/bin/env bash
# Each command of Apache Ozone's page about its S3 protocol, with the names replaced. Starts a daemon of its own on
# port 9878 with its data in a temporary directory, and removes all of it at the end, so nothing of yours changes.
# Needs aws, curl and goofys (`scripts/install-go-tools goofys` builds it). Usage: ozone-tour.sh
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export PATH=$PATH:$root/build/release:$root/build/tools

tour=$(mktemp -d)
leave() {
  mountpoint -q "$tour/bucket1" && umount "$tour/bucket1"
  [ -S "$tour/socket" ] && amphora stop
  rm -rf "$tour"
}
trap leave EXIT
step() { printf '\n# %s\n' "$*"; }
run() { printf '$ %s\n' "$*" && "$@"; }

step "The daemon: one process serves the S3 gateway and every mount. Virtual hosts below s3g.example."
export AMPHORA_SOCKET=$tour/socket
run amphora serve --background --data "$tour/data" --s3 localhost:9878 --domain s3g.example

step "S3 shows the buckets of the volume /s3v. It exists from the first start: this says so and is content."
run amphora volume create /s3v

step "Any other bucket is shown by a link in /s3v."
run amphora volume create /vol1
run amphora bucket create /vol1/bucket1
run amphora bucket link /vol1/bucket1 /s3v/common-bucket

step "Credentials. This daemon takes any; with \`serve --auth keys\` only these."
run amphora s3 getsecret | tee "$tour/secret"
AWS_ACCESS_KEY_ID=$(sed -n 's/^awsAccessKey=//p' "$tour/secret")
AWS_SECRET_ACCESS_KEY=$(sed -n 's/^awsSecret=//p' "$tour/secret")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION=us-east-1

step "The AWS command line."
run aws s3api --endpoint http://localhost:9878 create-bucket --bucket buckettest
echo "written by aws" >"$tour/testfile"
run aws s3 --endpoint http://localhost:9878 cp "$tour/testfile" s3://buckettest/folder/testfile
run aws s3 ls --endpoint http://localhost:9878 s3://buckettest
run aws s3 ls --endpoint http://localhost:9878 s3://buckettest/folder/
run aws s3 --endpoint http://localhost:9878 cp "$tour/testfile" s3://common-bucket/through-the-link

step "The bucket browser: a page for people."
run curl -fsS -o "$tour/page.html" "http://localhost:9878/buckettest?browser=true"
grep -o '<title>[^<]*</title>' "$tour/page.html"

step "The bucket's name in the host, below the domain that the daemon was told."
run curl -fsS --resolve buckettest.s3g.example:9878:127.0.0.1 http://buckettest.s3g.example:9878/folder/testfile

step "goofys mounts what S3 shows: bucket1 under its name there, common-bucket."
mkdir "$tour/bucket1"
run goofys --endpoint http://localhost:9878 common-bucket "$tour/bucket1"
run cat "$tour/bucket1/through-the-link"
run umount "$tour/bucket1"

step "Amphora's own mount needs no link and no S3."
run amphora mount /vol1/bucket1 "$tour/bucket1"
run cat "$tour/bucket1/through-the-link"
run amphora umount "$tour/bucket1"
