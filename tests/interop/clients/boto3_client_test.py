"""boto3 with its transfer manager, which sends large files in parts."""

import os
import unittest
from pathlib import Path

from prelude import boto_client
from suite import Client, suites


class Boto3(Client):
    def __init__(self, store, scratch):
        super().__init__(store, scratch)
        self.s3 = boto_client(store, signature_version="s3v4")

    def close(self):
        self.s3.close()

    def make_bucket(self, bucket):
        self.s3.create_bucket(Bucket=bucket)

    def put(self, path, bucket, key):
        self.s3.upload_file(str(path), bucket, key)

    def get(self, bucket, key, path):
        self.s3.download_file(bucket, key, str(path))

    def names(self, bucket, prefix):
        page = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix, Delimiter="/")
        found = [o["Key"] for o in page.get("Contents", [])] + [p["Prefix"] for p in page.get("CommonPrefixes", [])]
        return {key.removeprefix(prefix) for key in found if key != prefix}

    def copy(self, bucket, key, other):
        self.s3.copy({"Bucket": bucket, "Key": key}, bucket, other)

    def move(self, bucket, key, other):
        self.copy(bucket, key, other)
        self.delete(bucket, key)

    def delete(self, bucket, key):
        self.s3.delete_object(Bucket=bucket, Key=key)

    def upload(self, folder, bucket, prefix):
        for path in (p for p in folder.rglob("*") if p.is_file()):
            self.put(path, bucket, f"{prefix}/{path.relative_to(folder)}")

    def download(self, bucket, prefix, folder):
        for page in self.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/"):
            for key in (o["Key"] for o in page["Contents"] if not o["Key"].endswith("/")):
                path = Path(folder) / key.removeprefix(f"{prefix}/")
                os.makedirs(path.parent, exist_ok=True)
                self.get(bucket, key, path)

    def presigned(self, bucket, key):
        return self.s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key})


Boto3Http, Boto3Https = suites(Boto3)

if __name__ == "__main__":
    unittest.main()
