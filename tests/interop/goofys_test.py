"""goofys, mounted on the endpoint, writes and reads back real trees; our own mount shows the same."""

import os
import shutil
import subprocess
import time
import unittest

from amphora_store import is_mounted
from odd_names import ODD_COMPONENTS
from prelude import (BOOST, BUCKET, InteropTest, client_environment, hash_file, hash_tree, list_objects,
                     run_client, write_random)

GOOFYS = os.environ.get("AMPHORA_GOOFYS", "build/tools/goofys")
START_LIMIT_S = 30
# goofys sends files from 5 MiB on as a multipart upload.
GOOFYS_PART = 5 << 20


class Goofys(InteropTest):
    def setUp(self):
        super().setUp()
        self.goofys = self.scratch("goofys")
        log = open(self.store.directory / "goofys.log", "wb")
        self.addCleanup(log.close)
        # No caching: what the other mount wrote is asked for again.
        daemon = subprocess.Popen(
            [GOOFYS, "-f", "--endpoint", self.store.url, "--region", "us-east-1", "--stat-cache-ttl", "0",
             "--type-cache-ttl", "0", BUCKET, str(self.goofys)],
            env=client_environment(self.store), stdout=log, stderr=log)
        self.addCleanup(self.end, daemon)
        limit = time.monotonic() + START_LIMIT_S
        while not is_mounted(self.goofys):
            self.assertIsNone(daemon.poll(), (self.store.directory / "goofys.log").read_text())
            self.assertLess(time.monotonic(), limit, "goofys does not mount")
            time.sleep(0.05)

    def tearDown(self):
        run_client(["umount", self.goofys], self.store.environ())
        super().tearDown()

    def end(self, daemon):
        if is_mounted(self.goofys):
            subprocess.run(["umount", "-l", str(self.goofys)], check=False)
        try:
            daemon.wait(10)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


class GoofysTest(Goofys):
    tree = BOOST

    def test_a_tree_copied_into_goofys_is_in_the_mount(self):
        wanted = hash_tree(self.tree)
        run_client(["cp", "-r", self.tree, self.goofys / "tree"], self.store.environ())
        self.assertEqual(hash_tree(self.point / "tree"), wanted)
        some = self.goofys / "tree" / "detail"
        self.assertEqual(hash_tree(some), hash_tree(self.tree / "detail"))
        run_client(["rm", "-r", self.goofys / "tree" / "detail"], self.store.environ())
        self.assertFalse((self.point / "tree" / "detail").exists())

    def test_a_tree_copied_into_the_mount_is_in_goofys(self):
        tree = BOOST / "asio"
        run_client(["cp", "-r", tree, self.point / "tree"], self.store.environ())
        self.assertEqual(hash_tree(self.goofys / "tree"), hash_tree(tree))


class GoofysWithKeysTest(GoofysTest):
    auth = "keys"
    tree = BOOST / "asio"


class GoofysFilesTest(Goofys):
    def test_a_file_of_one_gibibyte_is_read_through_goofys(self):
        write_random(self.point / "large", 1 << 30)
        self.assertEqual((self.goofys / "large").stat().st_size, 1 << 30)
        self.assertEqual(hash_file(self.goofys / "large"), hash_file(self.point / "large"))

    def test_a_large_file_is_renamed_through_goofys(self):
        write_random(self.goofys / "large", 60 << 20)
        wanted = hash_file(self.goofys / "large")
        self.assertEqual(hash_file(self.point / "large"), wanted)
        (self.goofys / "large").rename(self.goofys / "moved")  # a copy on the server, and a deletion
        self.assertEqual(os.listdir(self.point), ["moved"])
        self.assertEqual(hash_file(self.point / "moved"), wanted)

    def test_odd_names_and_sizes(self):
        sizes = {"empty": 0, "one": 1, "inline": 16 << 10, "over": (16 << 10) + 1, "one part": GOOFYS_PART - 1,
                 "two parts": GOOFYS_PART + 1, "many parts": 60 << 20}
        for name, size in sizes.items():
            write_random(self.goofys / name, size)
        for name in ODD_COMPONENTS:
            (self.goofys / name).write_bytes(name.encode())
        shown = hash_tree(self.point)
        self.assertEqual({name: shown[name][0] for name in sizes}, sizes)
        for name in ODD_COMPONENTS:
            self.assertEqual((self.point / name).read_bytes(), name.encode())
            self.assertEqual((self.goofys / name).read_bytes(), name.encode())
        self.assertEqual(set(shown), set(ODD_COMPONENTS) | set(sizes))

    def test_what_one_side_removes_is_gone_on_the_other(self):
        client = self.boto()
        for writer, reader in ((self.goofys, self.point), (self.point, self.goofys)):
            (writer / "folder").mkdir()
            (writer / "folder" / "file").write_bytes(b"bytes")
            self.assertEqual((reader / "folder" / "file").read_bytes(), b"bytes")
            self.assertEqual(sorted(list_objects(client)), ["folder/", "folder/file"])
            shutil.rmtree(reader / "folder")
            # goofys remembers directories that it made itself, so only the file is asked for there.
            self.assertFalse((writer / "folder" / "file").exists())
            self.assertEqual(list_objects(client), {})
            self.assertFalse((self.point / "folder").exists())


if __name__ == "__main__":
    unittest.main()
