"""The aws command line of Debian writes and reads back real trees; the mount shows the same."""

import os
import unittest

from odd_names import LONG_KEYS, ODD_COMPONENTS
from prelude import BOOST, BUCKET, InteropTest, client_environment, hash_file, hash_tree, run_client, write_random

AWS = os.environ.get("AMPHORA_AWS", "/usr/bin/aws")


class AwsCli(InteropTest):
    def aws(self, *arguments, check=True):
        return run_client([AWS, "--endpoint-url", self.store.url, *arguments],
                          client_environment(self.store), check=check)


class AwsCliTest(AwsCli):
    tree = BOOST / "asio"

    def test_a_tree_synced_up_is_in_the_mount_and_comes_back(self):
        wanted = hash_tree(self.tree)
        self.assertGreater(len(wanted), 200)
        self.aws("s3", "sync", "--quiet", self.tree, f"s3://{BUCKET}/tree")
        self.assertEqual(hash_tree(self.point / "tree"), wanted)
        back = self.scratch("back")
        self.aws("s3", "sync", "--quiet", f"s3://{BUCKET}/tree", back)
        self.assertEqual(hash_tree(back), wanted)
        summary = self.aws("s3", "ls", "--recursive", "--summarize", f"s3://{BUCKET}").stdout
        self.assertIn(f"Total Objects: {len(wanted)}\n", summary)
        self.assertIn(f"Total Size: {sum(size for size, _ in wanted.values())}", summary)
        self.assertEqual(self.aws("s3", "sync", "--size-only", self.tree, f"s3://{BUCKET}/tree").stdout, "")
        self.aws("s3", "rm", "--quiet", "--recursive", f"s3://{BUCKET}/tree")
        self.assertEqual(os.listdir(self.point), [])

    def test_what_the_mount_wrote_syncs_down(self):
        run_client(["cp", "-r", self.tree, self.point / "tree"], self.store.environ())
        back = self.scratch("back")
        self.aws("s3", "sync", "--quiet", f"s3://{BUCKET}/tree", back)
        self.assertEqual(hash_tree(back), hash_tree(self.tree))

    def test_odd_names_and_empty_files(self):
        source = self.scratch("source")
        for name in ODD_COMPONENTS + [k for k in LONG_KEYS if k.count("/") > 1]:
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(name.encode())
        (source / "empty").touch()
        self.aws("s3", "cp", "--quiet", "--recursive", source, f"s3://{BUCKET}/")
        self.assertEqual(hash_tree(self.point), hash_tree(source))
        back = self.scratch("back")
        self.aws("s3", "cp", "--quiet", "--recursive", f"s3://{BUCKET}/", back)
        self.assertEqual(hash_tree(back), hash_tree(source))


class AwsCliWithKeysTest(AwsCliTest):
    auth = "keys"
    tree = BOOST / "asio" / "detail"

    def test_a_presigned_url_works_without_credentials(self):
        (self.point / "a+b c").write_bytes(b"bytes")
        url = self.aws("s3", "presign", f"s3://{BUCKET}/a+b c", "--expires-in", "60").stdout.strip()
        answer = run_client(["curl", "-sS", "--fail", url], self.store.environ())
        self.assertEqual(answer.stdout, "bytes")
        changed = run_client(["curl", "-sS", url.replace("Expires=60", "Expires=61")], self.store.environ())
        self.assertIn("<Code>SignatureDoesNotMatch</Code>", changed.stdout)

    def test_without_the_right_secret_nothing_is_seen_or_changed(self):
        (self.point / "kept").write_bytes(b"old")
        good = self.store.secret
        for secret, access_key, code in (("0" * 64, self.store.access_key, "SignatureDoesNotMatch"),
                                         (good, "nobody", "InvalidAccessKeyId")):
            environment = client_environment(self.store) | {"AWS_ACCESS_KEY_ID": access_key,
                                                            "AWS_SECRET_ACCESS_KEY": secret}
            for command in (["s3", "ls", f"s3://{BUCKET}"], ["s3", "rm", f"s3://{BUCKET}/kept"],
                            ["s3", "cp", __file__, f"s3://{BUCKET}/kept"]):
                refused = run_client([AWS, "--endpoint-url", self.store.url, *command], environment, check=False)
                self.assertNotEqual(refused.returncode, 0, command)
                self.assertIn(code, refused.stderr)
        self.assertEqual((self.point / "kept").read_bytes(), b"old")
        self.store.run("s3", "revokesecret", "--user", self.store.access_key)
        revoked = self.aws("s3", "ls", f"s3://{BUCKET}", check=False)
        self.assertIn("InvalidAccessKeyId", revoked.stderr)


class AwsCliLargeFileTest(AwsCli):
    def test_a_file_of_one_gibibyte(self):
        source = self.store.directory / "large"
        write_random(source, 1 << 30)
        self.aws("s3", "cp", "--quiet", source, f"s3://{BUCKET}/large")
        wanted = hash_file(source)
        self.assertEqual(hash_file(self.point / "large"), wanted)
        source.unlink()
        self.aws("s3", "cp", "--quiet", f"s3://{BUCKET}/large", source)
        self.assertEqual(hash_file(source), wanted)


if __name__ == "__main__":
    unittest.main()
