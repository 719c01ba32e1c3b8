"""s5cmd, which works with many parallel requests."""

import os
import unittest

from suite import Client, suites


class S5cmd(Client):
    program = os.environ.get("AMPHORA_S5CMD", "build/tools/s5cmd")

    cannot_name = ("tab\there", "new\nline")  # it escapes them twice and then misses the file

    def s5(self, *arguments):
        return self.run("--endpoint-url", self.store.url, "--retry-count", "0", *arguments)

    def make_bucket(self, bucket):
        self.s5("mb", f"s3://{bucket}")

    def put(self, path, bucket, key):
        self.s5("cp", "--part-size", "8", path, f"s3://{bucket}/{key}")

    def get(self, bucket, key, path):
        self.s5("cp", "--raw", f"s3://{bucket}/{key}", path)

    def names(self, bucket, prefix):
        lines = self.s5("ls", f"s3://{bucket}/{prefix}").stdout.splitlines()
        return {line.split()[-1] for line in lines if not line.endswith("  " + prefix)}

    def copy(self, bucket, key, other):
        self.s5("cp", "--raw", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def move(self, bucket, key, other):
        self.s5("mv", "--raw", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def delete(self, bucket, key):
        self.s5("rm", "--raw", f"s3://{bucket}/{key}")

    def upload(self, folder, bucket, prefix):
        self.s5("sync", f"{folder}/", f"s3://{bucket}/{prefix}/")

    def download(self, bucket, prefix, folder):
        self.s5("sync", f"s3://{bucket}/{prefix}/*", f"{folder}/")

    def presigned(self, bucket, key):
        return self.s5("presign", f"s3://{bucket}/{key}").stdout.strip()


S5cmdHttp, S5cmdHttps = suites(S5cmd)

if __name__ == "__main__":
    unittest.main()
