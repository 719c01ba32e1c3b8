"""s3cmd of Debian. Its signurl makes Signature Version 2 only, which AWS's newer regions refuse too."""

import unittest
from urllib.parse import urlsplit

from suite import Client, suites


class S3cmd(Client):
    program = "s3cmd"
    presigns = False
    cannot_name = ("tab\there", "new\nline")  # it sends ^I and ^J

    def s3cmd(self, *arguments):
        host = urlsplit(self.store.url).netloc
        secure = ["--ssl", f"--ca-certs={self.store.authority}"] if self.store.authority else ["--no-ssl"]
        return self.run("--config=/dev/null", f"--access_key={self.store.access_key}",
                        f"--secret_key={self.store.secret}", f"--host={host}", f"--host-bucket={host}", *secure,
                        "--no-progress", *arguments)

    def make_bucket(self, bucket):
        self.s3cmd("mb", f"s3://{bucket}")

    def put(self, path, bucket, key):
        self.s3cmd("put", path, f"s3://{bucket}/{key}")

    def get(self, bucket, key, path):
        self.s3cmd("get", f"s3://{bucket}/{key}", path)

    def names(self, bucket, prefix):
        base = f"s3://{bucket}/{prefix}"
        lines = self.s3cmd("ls", base).stdout.splitlines()
        return {line[line.index(base) + len(base):] for line in lines} - {""}

    def copy(self, bucket, key, other):
        self.s3cmd("cp", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def move(self, bucket, key, other):
        self.s3cmd("mv", f"s3://{bucket}/{key}", f"s3://{bucket}/{other}")

    def delete(self, bucket, key):
        self.s3cmd("rm", f"s3://{bucket}/{key}")

    def upload(self, folder, bucket, prefix):
        self.s3cmd("sync", f"{folder}/", f"s3://{bucket}/{prefix}/")

    def download(self, bucket, prefix, folder):
        self.s3cmd("sync", f"s3://{bucket}/{prefix}/", f"{folder}/")


S3cmdHttp, S3cmdHttps = suites(S3cmd)

if __name__ == "__main__":
    unittest.main()
