"""MinIO's mc."""

import json
import os
import unittest

from suite import Client, suites


class Mc(Client):
    program = os.environ.get("AMPHORA_MC", "build/tools/mc")

    def settings(self):
        return {"MC_CONFIG_DIR": str(self.scratch / "mc"), "MC_DISABLE_PAGER": "1"}

    def make_bucket(self, bucket):
        self.run("--quiet", "alias", "set", "a", self.store.url, self.store.access_key, self.store.secret,
                 "--api", "s3v4", "--path", "on")
        self.run("--quiet", "mb", f"a/{bucket}")

    def put(self, path, bucket, key):
        self.run("--quiet", "cp", path, f"a/{bucket}/{key}")

    def get(self, bucket, key, path):
        self.run("--quiet", "cp", f"a/{bucket}/{key}", path)

    def names(self, bucket, prefix):
        return {json.loads(line)["key"] for line in self.lines("--json", "ls", f"a/{bucket}/{prefix}")} - {"/"}

    def copy(self, bucket, key, other):
        self.run("--quiet", "cp", f"a/{bucket}/{key}", f"a/{bucket}/{other}")

    def move(self, bucket, key, other):
        self.run("--quiet", "mv", f"a/{bucket}/{key}", f"a/{bucket}/{other}")

    def delete(self, bucket, key):
        self.run("--quiet", "rm", f"a/{bucket}/{key}")

    def upload(self, folder, bucket, prefix):
        self.run("--quiet", "mirror", "--overwrite", folder, f"a/{bucket}/{prefix}")

    def download(self, bucket, prefix, folder):
        self.run("--quiet", "mirror", "--overwrite", f"a/{bucket}/{prefix}", folder)

    def presigned(self, bucket, key):
        return json.loads(self.run("--json", "share", "download", f"a/{bucket}/{key}").stdout)["share"]


McHttp, McHttps = suites(Mc)

if __name__ == "__main__":
    unittest.main()
