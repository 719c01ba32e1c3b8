"""publish = live and publish = close, from both sides and through kill -9. Root and /dev/fuse."""

import os
import subprocess
import time
import unittest

from amphora_store import Store

LIMIT_S = 30


class PublishTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store())
        self.store.run("bucket", "create", "/s3v/demo")
        self.point = self.store.mount("/s3v/demo")

    def set(self, value):
        self.store.run("bucket", "set", "/s3v/demo", "--publish", value)
        self.assertEqual(self.store.json("bucket", "show", "/s3v/demo")["publish"], value)

    def seen(self, key):
        """By LIST, HEAD and GET, which agree."""
        listed = f"<Key>{key}</Key>".encode() in self.store.s3.request("GET", "/demo?list-type=2").body
        self.assertEqual(self.store.s3.request("HEAD", f"/demo/{key}").status, 200 if listed else 404)
        self.assertEqual(self.store.s3.get(f"/demo/{key}").status, 200 if listed else 404)
        return listed

    def wait_until_seen(self, key):
        """For what RELEASE does, which the kernel sends after close has returned."""
        limit = time.monotonic() + LIMIT_S
        while not self.seen(key):
            self.assertLess(time.monotonic(), limit)
            time.sleep(0.01)

    def test_live_shows_a_file_while_it_is_written(self):
        self.set("live")
        with open(self.point / "file", "wb", buffering=0) as file:
            self.assertTrue(self.seen("file"))
            file.write(b"half")
            self.assertEqual(self.store.s3.get("/demo/file").body, b"half")

    def test_close_shows_it_from_its_first_close(self):
        self.set("close")
        for size in (5, 3 << 20):
            name, content = f"file-{size}", os.urandom(size)
            with open(self.point / name, "wb", buffering=0) as file:
                self.assertFalse(self.seen(name))
                file.write(content)
                self.assertFalse(self.seen(name))
                time.sleep(1.5)  # what is settled in the background is not published
                self.assertFalse(self.seen(name))
            self.assertTrue(self.seen(name))
            self.assertEqual(self.store.s3.get(f"/demo/{name}").body, content)
            with open(self.point / name, "ab", buffering=0) as file:
                file.write(b"more")
                self.assertEqual(self.store.s3.get(f"/demo/{name}").body, content + b"more")

    def test_close_shows_it_from_its_first_fsync(self):
        self.set("close")
        with open(self.point / "file", "wb", buffering=0) as file:
            file.write(b"record")
            self.assertFalse(self.seen("file"))
            os.fsync(file.fileno())
            self.assertTrue(self.seen("file"))
            file.write(b"s")
            self.assertEqual(self.store.s3.get("/demo/file").body, b"records")

    def test_what_a_shell_writes_is_seen_when_its_program_ends(self):
        self.set("close")
        with subprocess.Popen(["sh", "-c", f"(cat; true) > {self.point}/out"], stdin=subprocess.PIPE) as shell:
            limit = time.monotonic() + LIMIT_S
            while not (self.point / "out").exists():
                self.assertLess(time.monotonic(), limit)
                time.sleep(0.01)
            time.sleep(0.2)
            self.assertFalse(self.seen("out"))
            shell.stdin.write(b"all of it")
            shell.stdin.close()
        self.wait_until_seen("out")
        self.assertEqual(self.store.s3.get("/demo/out").body, b"all of it")
        (self.point / "empty").touch()
        self.wait_until_seen("empty")

    def test_s3_and_names_of_hidden_files(self):
        self.set("close")
        with open(self.point / "file", "wb", buffering=0) as file:
            file.write(b"hidden")
            self.assertEqual(self.store.s3.request("DELETE", "/demo/file").status, 204)
            self.assertEqual((self.point / "file").read_bytes(), b"hidden")
            self.assertEqual(self.store.s3.request("DELETE", "/demo").status, 409)  # the bucket is not empty
            os.rename(self.point / "file", self.point / "renamed")
            self.assertFalse(self.seen("renamed"))
        self.assertTrue(self.seen("renamed"))
        self.assertTrue(self.store.s3.put("/demo/object", b"by S3").ok)
        self.assertTrue(self.seen("object"))

    def test_a_crash_neither_shows_nor_loses_a_file(self):
        self.set("close")
        with open(self.point / "closed", "wb") as file:
            file.write(b"closed")
        file = open(self.point / "open", "wb", buffering=0)
        file.write(os.urandom(1 << 20))
        time.sleep(2.5)  # settled, so that the row is there
        self.store.kill()
        try:
            file.close()
        except OSError:
            pass
        self.store.unmount_dead()
        self.store.start()
        self.assertTrue(self.seen("closed"))
        self.assertFalse(self.seen("open"))
        self.store.run("mount", "/s3v/demo", self.point)
        self.assertEqual((self.point / "open").stat().st_size, 1 << 20)
        with open(self.point / "open", "ab"):
            pass
        self.assertTrue(self.seen("open"))
        self.assertEqual(self.store.json("check")["findings_total"], 0)


if __name__ == "__main__":
    unittest.main()
