"""Mode, owner and mtime between our mount and what other programs keep in user metadata: the real s3fs and
rclone both ways, AWS's names by hand; and how an SDK takes a quota."""

import os
import stat
import subprocess
import time
import unittest

from amphora_store import is_mounted
from prelude import BUCKET, InteropTest, client_environment, run_client

MOUNT_LIMIT_S = 30
MTIME_NS = 1_500_000_000_123_456_789


def facts(path):
    status = os.stat(path)
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


@unittest.skipUnless(os.geteuid() == 0, "to give files away needs root")
class S3fsMetadataTest(InteropTest):
    def setUp(self):
        super().setUp()
        other = self.scratch("s3fs")
        environment = client_environment(self.store) | {"AWSACCESSKEYID": "any", "AWSSECRETACCESSKEY": "any"}
        with open(self.store.directory / "s3fs.log", "wb") as log:
            self.daemon = subprocess.Popen(
                ["s3fs", BUCKET, other, "-f", "-o", f"url={self.store.url}", "-o", "use_path_request_style",
                 "-o", "max_stat_cache_size=0"], env=environment, stdout=log, stderr=log)
        self.addCleanup(self.end_s3fs)
        self.other = other
        limit = time.monotonic() + MOUNT_LIMIT_S
        while not is_mounted(other):
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.05)

    def end_s3fs(self):
        subprocess.run(["umount", "-l", self.other], check=False)
        self.daemon.wait(MOUNT_LIMIT_S)

    def test_what_s3fs_sets_the_mount_has(self):
        path = self.other / "file"
        path.write_text("by s3fs")
        path.chmod(0o640)
        os.chown(path, 12, 34)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        ours = self.point / "file"
        self.assertEqual(facts(ours), (0o640, 12, 34))
        self.assertEqual(int(ours.stat().st_mtime), MTIME_NS // 10**9)
        self.assertEqual(ours.read_text(), "by s3fs")
        (self.other / "dir").mkdir(mode=0o700)
        os.chown(self.other / "dir", 56, 78)
        self.assertEqual(facts(self.point / "dir"), (0o700, 56, 78))

    def test_what_the_mount_sets_s3fs_shows(self):
        self.store.run("bucket", "set", f"/s3v/{BUCKET}", "--posix-metadata", "s3fs")
        ours = self.point / "file"
        ours.write_text("by the mount")
        ours.chmod(0o604)
        os.chown(ours, 12, 34)
        os.utime(ours, ns=(MTIME_NS, MTIME_NS))
        self.assertEqual(facts(self.other / "file"), (0o604, 12, 34))
        self.assertEqual(int((self.other / "file").stat().st_mtime), MTIME_NS // 10**9)
        (self.point / "dir").mkdir()
        (self.point / "dir").chmod(0o711)
        os.chown(self.point / "dir", 56, 78)
        self.assertEqual(facts(self.other / "dir"), (0o711, 56, 78))


@unittest.skipUnless(os.geteuid() == 0, "to give files away needs root")
class RcloneMetadataTest(InteropTest):
    def rclone(self, *arguments):
        environment = client_environment(self.store) | {
            "RCLONE_CONFIG": os.devnull, "RCLONE_CONFIG_A_TYPE": "s3", "RCLONE_CONFIG_A_PROVIDER": "Other",
            "RCLONE_CONFIG_A_ENDPOINT": self.store.url, "RCLONE_CONFIG_A_ACCESS_KEY_ID": "any",
            "RCLONE_CONFIG_A_SECRET_ACCESS_KEY": "any", "RCLONE_RETRIES": "1"}
        return run_client(["rclone", *arguments], environment).stdout

    def test_times_go_both_ways_to_the_nanosecond(self):
        local = self.scratch("local")
        for name, size in (("small", 10), ("large", 9 << 20)):
            path = local / name
            path.write_bytes(bytes(size))
            os.utime(path, ns=(MTIME_NS, MTIME_NS))
            self.rclone("copyto", "--s3-upload-cutoff", "8M", path, f"a:{BUCKET}/{name}")
            self.assertEqual((self.point / name).stat().st_mtime_ns, MTIME_NS)
        self.store.run("bucket", "set", f"/s3v/{BUCKET}", "--posix-metadata", "s3fs")
        os.utime(self.point / "small", ns=(MTIME_NS + 5, MTIME_NS + 5))
        self.rclone("copyto", f"a:{BUCKET}/small", local / "back")
        self.assertEqual((local / "back").stat().st_mtime_ns, MTIME_NS + 5)

    def test_modes_and_owners_of_its_metadata_option(self):
        path = self.scratch("local") / "script"
        path.write_text("#!/bin/sh\n")
        path.chmod(0o750)
        os.chown(path, 12, 34)
        os.utime(path, ns=(MTIME_NS, MTIME_NS))
        self.rclone("copyto", "--metadata", path, f"a:{BUCKET}/script")
        self.assertEqual(facts(self.point / "script"), (0o750, 12, 34))
        self.assertEqual((self.point / "script").stat().st_mtime_ns, MTIME_NS)


class OtherNamesTest(InteropTest):
    def test_awss_names_on_put_and_head(self):
        self.store.s3.request("PUT", f"/{BUCKET}/file", b"x", {
            "x-amz-meta-file-permissions": "0100640", "x-amz-meta-file-owner": "12", "x-amz-meta-file-group": "34",
            "x-amz-meta-file-mtime": f"{MTIME_NS}ns"})
        self.assertEqual(facts(self.point / "file"), (0o640, 12, 34))
        self.assertEqual((self.point / "file").stat().st_mtime_ns, MTIME_NS)
        (self.point / "file").chmod(0o600)
        self.store.run("bucket", "set", f"/s3v/{BUCKET}", "--posix-metadata", "aws")
        for method in ("HEAD", "GET"):
            shown = self.store.s3.request(method, f"/{BUCKET}/file").headers
            shown = {name.lower(): value for name, value in shown.items()}
            self.assertEqual(shown["x-amz-meta-file-permissions"], "0100600")
            self.assertEqual(shown["x-amz-meta-file-owner"], "12")
            self.assertEqual(shown["x-amz-meta-file-mtime"], f"{MTIME_NS}ns")

    def test_defaults_of_a_bucket(self):
        self.store.run("bucket", "set", f"/s3v/{BUCKET}", "--s3-owner", "1234:56", "--s3-mode", "640")
        self.assertTrue(self.store.s3.put(f"/{BUCKET}/dir/file", b"x").ok)
        self.assertEqual(facts(self.point / "dir/file"), (0o640, 1234, 56))
        self.assertEqual(facts(self.point / "dir"), (0o750, 1234, 56))

    def test_metadata_as_xattrs_both_ways(self):
        self.store.s3.request("PUT", f"/{BUCKET}/file", b"x", {"x-amz-meta-colour": "red",
                                                                 "Content-Type": "text/x-one"})
        path = self.point / "file"
        self.assertEqual(os.getxattr(path, "user.s3.meta.colour"), b"red")
        os.setxattr(path, "user.s3.meta.colour", b"blue")
        os.setxattr(path, "user.s3.meta.size", b"xl")
        os.setxattr(path, "user.s3.content-type", b"text/x-two")
        self.assertEqual(sorted(os.listxattr(path)),
                         ["user.s3.content-type", "user.s3.meta.colour", "user.s3.meta.size"])
        # HEAD shows an mtime that is not its Last-Modified: set one, so that it does whatever second this is.
        os.utime(path, (10 ** 9, 10 ** 9))
        shown = self.boto().head_object(Bucket=BUCKET, Key="file")
        self.assertEqual((shown["ContentType"], shown["Metadata"]),
                         ("text/x-two", {"colour": "blue", "size": "xl", "mtime": "1000000000.000000000"}))
        # Programs that keep xattrs and times carry them to another object.
        subprocess.run(["cp", "-a", path, self.point / "copy"], check=True)
        copied = self.boto().head_object(Bucket=BUCKET, Key="copy")
        self.assertEqual((copied["ContentType"], copied["Metadata"]), (shown["ContentType"], shown["Metadata"]))
        with self.assertRaises(PermissionError):
            os.setxattr(path, "user.s3.etag", b"x")


class QuotaAndSdkTest(InteropTest):
    def test_an_sdk_with_its_usual_retries_asks_once(self):
        import boto3
        from botocore.exceptions import ClientError

        self.store.run("bucket", "set", f"/s3v/{BUCKET}", "--quota-bytes", "100")
        client = boto3.client("s3", endpoint_url=self.store.url, region_name="us-east-1", aws_access_key_id="a",
                              aws_secret_access_key="b")
        before = self.store.counter("s3_requests")
        with self.assertRaises(ClientError) as refused:
            client.put_object(Bucket=BUCKET, Key="key", Body=bytes(200))
        self.assertEqual(refused.exception.response["Error"]["Code"], "QuotaExceeded")
        self.assertEqual(refused.exception.response["ResponseMetadata"]["RetryAttempts"], 0)
        self.assertEqual(self.store.counter("s3_requests"), before + 1)


if __name__ == "__main__":
    unittest.main()
