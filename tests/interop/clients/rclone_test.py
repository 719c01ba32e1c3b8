"""rclone of Debian, its s3 backend for other providers."""

import os
import unittest

from suite import Client, suites


class Rclone(Client):
    program = "rclone"

    def settings(self):
        return {"RCLONE_CONFIG": os.devnull, "RCLONE_CONFIG_A_TYPE": "s3", "RCLONE_CONFIG_A_PROVIDER": "Other",
                "RCLONE_CONFIG_A_ENDPOINT": self.store.url, "RCLONE_CONFIG_A_ACCESS_KEY_ID": self.store.access_key,
                "RCLONE_CONFIG_A_SECRET_ACCESS_KEY": self.store.secret, "RCLONE_RETRIES": "1",
                "RCLONE_LOW_LEVEL_RETRIES": "1", "RCLONE_S3_UPLOAD_CUTOFF": "8M",
                # Else it takes two spellings of one word for one name.
                "RCLONE_NO_UNICODE_NORMALIZATION": "true",
                # It has a transport of its own, which refuses that variable; SSL_CERT_FILE is enough.
                "AWS_CA_BUNDLE": ""}

    def make_bucket(self, bucket):
        self.run("mkdir", f"a:{bucket}")

    def put(self, path, bucket, key):
        self.run("copyto", path, f"a:{bucket}/{key}")

    def get(self, bucket, key, path):
        self.run("copyto", f"a:{bucket}/{key}", path)

    def names(self, bucket, prefix):
        return set(self.lines("lsf", f"a:{bucket}/{prefix}"))

    def copy(self, bucket, key, other):
        self.run("copyto", f"a:{bucket}/{key}", f"a:{bucket}/{other}")

    def move(self, bucket, key, other):
        self.run("moveto", f"a:{bucket}/{key}", f"a:{bucket}/{other}")

    def delete(self, bucket, key):
        self.run("deletefile", f"a:{bucket}/{key}")

    def upload(self, folder, bucket, prefix):
        self.run("copy", folder, f"a:{bucket}/{prefix}")

    def download(self, bucket, prefix, folder):
        self.run("sync", f"a:{bucket}/{prefix}", folder)

    def presigned(self, bucket, key):
        return self.run("link", "--expire", "1h", f"a:{bucket}/{key}").stdout.strip()


RcloneHttp, RcloneHttps = suites(Rclone)

if __name__ == "__main__":
    unittest.main()
