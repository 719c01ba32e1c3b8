"""Bucket links by the whole program: the command line, S3, and mounts that show the target or not."""

import os
import subprocess
import unittest

from amphora_store import Store


class LinksTest(unittest.TestCase):
    def setUp(self):
        self.store = Store()
        self.addCleanup(self.store.close)
        self.store.run("volume", "create", "/vol1")
        self.store.run("bucket", "create", "/vol1/bucket1")

    def link(self, name, target="/vol1/bucket1"):
        return self.store.json("bucket", "link", target, name)

    def refused(self, *command):
        result = self.store.run(*command, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr.count("\n"), 1)
        return result.stderr

    def test_the_volume_of_s3_is_there_from_the_first_start(self):
        self.assertIn("first start", self.store.run("volume", "create", "/s3v").stdout)

    def test_every_s3_operation_works_through_a_link(self):
        self.assertEqual(self.link("/s3v/common-bucket")["link_to"], "/vol1/bucket1")
        s3 = self.store.s3
        self.assertEqual(s3.request("HEAD", "/common-bucket").status, 200)
        self.assertIn(b"<Name>common-bucket</Name>", s3.request("GET", "/").body)
        self.assertTrue(s3.put("/common-bucket/dir/key", b"bytes").ok)
        self.assertEqual(s3.get("/common-bucket/dir/key").body, b"bytes")
        listing = s3.request("GET", "/common-bucket?list-type=2").body
        self.assertIn(b"<Name>common-bucket</Name>", listing)
        self.assertIn(b"<Key>dir/key</Key>", listing)
        shown = self.store.json("bucket", "show", "/s3v/common-bucket")
        self.assertEqual((shown["objects"], shown["bytes"]), (1, 5))
        self.assertIn("-> /vol1/bucket1", self.store.run("bucket", "list").stdout)
        # A bucket that only /vol1 has is none of S3's.
        self.assertEqual(s3.request("HEAD", "/bucket1").status, 404)
        self.assertEqual(s3.request("DELETE", "/common-bucket").status, 204)
        self.assertEqual(self.store.json("bucket", "show", "/vol1/bucket1")["objects"], 1)
        self.assertEqual(s3.get("/common-bucket/dir/key").status, 404)
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def test_what_is_refused_names_the_culprit(self):
        self.link("/s3v/one")
        self.assertIn("/vol1/nobody", self.refused("bucket", "link", "/vol1/nobody", "/s3v/two"))
        self.assertIn("/nowhere", self.refused("bucket", "link", "/nowhere/bucket1", "/s3v/two"))
        self.assertIn("/nowhere", self.refused("bucket", "link", "/vol1/bucket1", "/nowhere/two"))
        self.assertIn("/s3v/one exists", self.refused("bucket", "link", "/vol1/bucket1", "/s3v/one"))
        self.assertIn("itself", self.refused("bucket", "link", "/s3v/one", "/s3v/one"))
        self.assertIn("/s3v/one", self.refused("bucket", "delete", "/vol1/bucket1"))
        self.store.run("bucket", "create", "/s3v/plain")
        self.link("/s3v/linked", "/s3v/plain")
        answer = self.store.s3.request("DELETE", "/plain")
        self.assertEqual(answer.status, 409)
        self.assertIn(b"<Code>InvalidBucketState</Code>", answer.body)

    def test_a_mount_of_the_whole_store_shows_a_relative_symlink(self):
        self.link("/s3v/common-bucket")
        point = self.store.mount()
        link = point / "s3v" / "common-bucket"
        self.assertEqual(os.readlink(link), "../vol1/bucket1")
        (link / "file").write_bytes(b"through the link")
        self.assertEqual(self.store.s3.get("/common-bucket/file").body, b"through the link")
        with self.assertRaises(PermissionError):
            link.unlink()

    def test_a_mount_of_the_volume_shows_a_directory_and_then_symlinks_to_it(self):
        self.link("/s3v/first")
        self.link("/s3v/second")
        point = self.store.mount("/s3v")
        self.assertFalse((point / "first").is_symlink())
        self.assertEqual(os.readlink(point / "second"), "first")
        (point / "first" / "dir").mkdir()
        (point / "second" / "dir" / "file").write_bytes(b"x")
        self.assertEqual(self.store.s3.get("/first/dir/file").body, b"x")
        # What S3 changes in the linked bucket the kernel is told of.
        self.assertEqual((point / "first" / "dir" / "file").read_bytes(), b"x")
        self.assertTrue(self.store.s3.put("/second/dir/file", b"other bytes").ok)
        self.assertEqual((point / "first" / "dir" / "file").read_bytes(), b"other bytes")
        found = subprocess.run(["find", str(point)], capture_output=True, text=True, check=True)
        self.assertEqual(sorted(found.stdout.split()),
                         sorted(f"{point}{end}" for end in
                                ("", "/first", "/second", "/first/dir", "/first/dir/file")))

    def test_a_volume_mount_follows_links_that_come_and_go(self):
        point = self.store.mount("/s3v")
        self.assertEqual(os.listdir(point), [])
        for name in ("one", "two", "three"):
            self.link(f"/s3v/{name}")
            self.assertIn(name, os.listdir(point))
        self.assertEqual(os.readlink(point / "two"), "one")
        self.assertEqual(os.readlink(point / "three"), "one")
        self.store.run("bucket", "delete", "/s3v/one")
        self.assertEqual(sorted(os.listdir(point)), ["three", "two"])
        self.assertFalse((point / "two").is_symlink())
        self.assertTrue((point / "two").is_dir())
        self.assertEqual(os.readlink(point / "three"), "two")

    def test_a_link_can_be_mounted(self):
        self.link("/s3v/common-bucket")
        point = self.store.mount("/s3v/common-bucket")
        (point / "file").write_bytes(b"bytes")
        self.assertEqual(self.store.s3.get("/common-bucket/file").body, b"bytes")
        self.assertTrue(self.store.s3.put("/common-bucket/file", b"new").ok)
        self.assertEqual((point / "file").read_bytes(), b"new")


if __name__ == "__main__":
    unittest.main()
