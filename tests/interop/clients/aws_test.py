"""The aws command line: Debian's (version 2) and PyPI's current one (version 1)."""

import os
import unittest

from suite import Client, suites


class Aws2(Client):
    program = os.environ.get("AMPHORA_AWS", "/usr/bin/aws")

    def s3(self, *arguments):
        return self.run("--endpoint-url", self.store.url, "s3", *arguments)

    def make_bucket(self, bucket):
        self.s3("mb", f"s3://{bucket}")

    def put(self, path, bucket, key):
        self.s3("cp", "--quiet", path, f"s3://{bucket}/{key}")

    def get(self, bucket, key, path):
        self.s3("cp", "--quiet", f"s3://{bucket}/{key}", path)

    def names(self, bucket, prefix):
        lines = self.s3("ls", f"s3://{bucket}/{prefix}").stdout.splitlines()
        return {line[31:] if "PRE " not in line else line.split("PRE ")[1] for line in lines} - {""}

    def copy(self, bucket, key, other):
        self.s3("cp", "--quiet", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def move(self, bucket, key, other):
        self.s3("mv", "--quiet", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def delete(self, bucket, key):
        self.s3("rm", "--quiet", f"s3://{bucket}/{key}")

    def upload(self, folder, bucket, prefix):
        self.s3("sync", "--quiet", folder, f"s3://{bucket}/{prefix}")

    def download(self, bucket, prefix, folder):
        self.s3("sync", "--quiet", f"s3://{bucket}/{prefix}", folder)

    def presigned(self, bucket, key):
        return self.s3("presign", f"s3://{bucket}/{key}").stdout.strip()


class Aws1(Aws2):
    program = os.environ.get("AMPHORA_AWS_PYPI", "build/venv-clients/bin/aws")


Aws2Http, Aws2Https = suites(Aws2)
Aws1Http, Aws1Https = suites(Aws1)

if __name__ == "__main__":
    unittest.main()
