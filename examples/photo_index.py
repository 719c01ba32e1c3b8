#!/usr/bin/env python3
"""Uploads objects with metadata by boto3, lists them by prefix, reads a range, and finds all of it in the mount.

Usage: photo_index.py ENDPOINT BUCKET DIRECTORY. Keys come from the environment as boto3 wants them; a daemon that
runs with --auth open takes any.
"""

import os
import sys
from pathlib import Path

import boto3


def main():
    endpoint, bucket, directory = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1",
                      aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "any"),
                      aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "any"))

    for number in range(3):
        s3.put_object(Bucket=bucket, Key=f"photos/2026/{number}.raw", Body=bytes([number]) * 1_000_000,
                      ContentType="image/x-raw", Metadata={"camera": f"number {number}"})

    for entry in s3.list_objects_v2(Bucket=bucket, Prefix="photos/2026/")["Contents"]:
        size_in_mount = os.stat(directory / entry["Key"]).st_size
        print(entry["Key"], entry["Size"], size_in_mount)
        assert entry["Size"] == size_in_mount

    part = s3.get_object(Bucket=bucket, Key="photos/2026/2.raw", Range="bytes=10-19")
    print(part["ContentRange"], part["Metadata"]["camera"], part["Body"].read())

    # The mount's xattr carries the object's ETag.
    etag = os.getxattr(directory / "photos/2026/2.raw", "user.s3.etag").decode()
    print("etag", etag, part["ETag"])

    for number in range(3):
        os.unlink(directory / f"photos/2026/{number}.raw")
    # What is left is the directory itself: a change through the mount made it one that stays.
    left = s3.list_objects_v2(Bucket=bucket, Prefix="photos/2026/")["Contents"]
    assert [entry["Key"] for entry in left] == ["photos/2026/"], left


if __name__ == "__main__":
    main()
