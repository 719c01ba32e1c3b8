#!/usr/bin/env bash
# One store, two handles: writes by the mount and reads by S3, then the other way round. Needs curl.
# Usage: both_handles.sh ENDPOINT BUCKET DIRECTORY      (of a daemon that runs with --auth open)
set -euo pipefail
endpoint=${1:?endpoint} bucket=${2:?bucket} directory=${3:?directory}

# A file written through the mount is an object as soon as it is closed.
mkdir -p "$directory/notes"
echo "written by cat, read by curl" >"$directory/notes/one.txt"
curl -fsS "$endpoint/$bucket/notes/one.txt"

# An object is a file as soon as its PUT is answered.
curl -fsS -X PUT --data-binary "written by curl, read by cat
" "$endpoint/$bucket/notes/two.txt"
cat "$directory/notes/two.txt"

# A rename of a directory is one step, and true for every key below it.
mv "$directory/notes" "$directory/archive"
curl -fsS "$endpoint/$bucket?list-type=2&prefix=archive/" | grep -o '<Key>[^<]*</Key>'

rm -r "$directory/archive"
