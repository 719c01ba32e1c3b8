"""s3fs of Debian: a bucket as a directory by FUSE, beside our own mount."""

import unittest

from suite import MountClient, suites


class S3fs(MountClient):
    program = "s3fs"

    def settings(self):
        return {"AWSACCESSKEYID": self.store.access_key, "AWSSECRETACCESSKEY": self.store.secret} | (
            {"CURL_CA_BUNDLE": str(self.store.authority)} if self.store.authority else {})

    def mount_command(self, bucket):
        # No caching: what our mount changed is asked for again. It takes CURL_CA_BUNDLE only when it tries again.
        options = [f"url={self.store.url}", "use_path_request_style", "endpoint=us-east-1", "retries=2",
                   "max_stat_cache_size=0", "multipart_size=8"]
        return [self.program, bucket, self.point, "-f", *(x for o in options for x in ("-o", o))]


S3fsHttp, S3fsHttps = suites(S3fs)

if __name__ == "__main__":
    unittest.main()
