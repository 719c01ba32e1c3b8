"""goofys: a bucket as a directory by FUSE, beside our own mount."""

import os
import unittest

from suite import MountClient, suites


class Goofys(MountClient):
    program = os.environ.get("AMPHORA_GOOFYS", "build/tools/goofys")

    def mount_command(self, bucket):
        # No caching: what our mount changed is asked for again.
        return [self.program, "-f", "--endpoint", self.store.url, "--region", "us-east-1", "--stat-cache-ttl",
                "0", "--type-cache-ttl", "0", bucket, self.point]


GoofysHttp, GoofysHttps = suites(Goofys)

if __name__ == "__main__":
    unittest.main()
