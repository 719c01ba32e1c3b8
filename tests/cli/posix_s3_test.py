"""Where POSIX meets S3: each rule from both sides, on a real mount and a real endpoint."""

import os
import shutil
import stat
import subprocess
import unittest

from amphora_store import Store

MIB = 1 << 20


class PosixS3Test(unittest.TestCase):
    def setUp(self):
        self.store = Store()
        self.addCleanup(self.store.close)
        for bucket in ("bucket", "other"):
            self.store.run("bucket", "create", f"/s3v/{bucket}")
        self.root = self.store.mount()
        self.point = self.root / "s3v" / "bucket"
        self.s3 = self.store.s3

    def used_blobs(self):
        """Blobs that some row refers to: those that are made beforehand are none of ours."""
        lines = self.store.run("dump").stdout.splitlines()
        return {int(l.split()[1]): int(l.rpartition("references=")[2].split()[0])
                for l in lines if l.startswith("blob ") and "references=" in l}

    def test_a_directory_is_no_object_without_its_slash(self):
        (self.point / "made").mkdir()
        self.assertTrue(self.s3.put("/bucket/put/", b"").ok)
        for name in ("made", "put"):
            for method in ("HEAD", "GET"):
                self.assertEqual(self.s3.request(method, f"/bucket/{name}").status, 404, name)

    def test_an_implicit_directory_is_no_object_with_its_slash_either(self):
        self.assertTrue(self.s3.put("/bucket/dir/key", b"x").ok)
        for method in ("HEAD", "GET"):
            self.assertEqual(self.s3.request(method, "/bucket/dir/").status, 404)
        self.assertEqual(set(self.s3.list("bucket")), {"dir/key"})
        # A POSIX change in it makes it one that stays, and then it is an object.
        (self.point / "dir" / "file").write_bytes(b"y")
        self.assertEqual(self.s3.head("/bucket/dir/").status, 200)
        self.assertIn("dir/", self.s3.list("bucket"))

    def test_an_explicit_directory_is_an_object_with_its_slash(self):
        (self.point / "made").mkdir()
        self.assertTrue(self.s3.put("/bucket/put/", b"", {"Content-Type": "application/x-directory"}).ok)
        self.assertTrue((self.point / "put").is_dir())
        for name in ("made", "put"):
            for method in ("HEAD", "GET"):
                answer = self.s3.request(method, f"/bucket/{name}/")
                self.assertEqual(answer.status, 200, name)
                self.assertEqual(answer.headers["Content-Type"], "application/x-directory", name)
                self.assertEqual(answer.headers["Content-Length"], "0")
                self.assertEqual(answer.body, b"")
        self.assertEqual(self.s3.list("bucket"), {"made/": 0, "put/": 0})

    def test_a_put_over_an_executable_keeps_it_one(self):
        script = self.point / "run"
        script.write_text("#!/bin/sh\necho old\n")
        script.chmod(0o750)
        os.chown(script, 1234, 5678) if os.geteuid() == 0 else None
        before = script.stat()
        self.assertTrue(self.s3.put("/bucket/run", b"#!/bin/sh\necho new\n").ok)
        after = script.stat()
        self.assertEqual(stat.S_IMODE(after.st_mode), 0o750)
        self.assertEqual((after.st_uid, after.st_gid), (before.st_uid, before.st_gid))
        output = subprocess.run([script], capture_output=True, text=True, check=True).stdout
        self.assertEqual(output, "new\n")
        self.assertEqual(self.s3.get("/bucket/run").body, b"#!/bin/sh\necho new\n")

    def test_a_new_object_is_an_ordinary_file(self):
        self.assertTrue(self.s3.put("/bucket/dir/new", b"x").ok)
        mode = stat.S_IMODE((self.point / "dir" / "new").stat().st_mode)
        self.assertEqual(mode & 0o111, 0)
        self.assertEqual(mode & 0o400, 0o400)

    def test_df_shows_the_disk_that_holds_the_data(self):
        disk, shown = os.statvfs(self.store.data), os.statvfs(self.point)
        self.assertEqual(shown.f_blocks * shown.f_frsize, disk.f_blocks * disk.f_frsize)
        self.assertLess(abs(shown.f_bavail * shown.f_frsize - disk.f_bavail * disk.f_frsize), 256 * MIB)
        line = subprocess.run(["df", "--output=size", "-B1", str(self.point)], capture_output=True,
                              text=True, check=True).stdout.split()[-1]
        self.assertEqual(int(line), disk.f_blocks * disk.f_frsize)

    def du(self, path, *flags):
        output = subprocess.run(["du", "-s", "-B1", *flags, str(path)], capture_output=True, text=True,
                                check=True).stdout
        return int(output.split()[0])

    def test_du_shows_the_bytes_that_are_held(self):
        tree = self.point / "tree"
        tree.mkdir()
        (tree / "small").write_bytes(b"x" * 1000)
        (tree / "large").write_bytes(b"y" * (3 * MIB))
        self.assertTrue(self.s3.put("/bucket/tree/put", b"z" * (2 * MIB)).ok)
        with open(tree / "sparse", "wb") as sparse:
            sparse.truncate(100 * MIB)
        directory = tree.stat().st_blocks * 512
        self.assertEqual(self.du(tree, "--apparent-size") - tree.stat().st_size, 1000 + 105 * MIB)
        held = self.du(tree) - directory
        self.assertGreaterEqual(held, 5 * MIB)
        self.assertLess(held, 6 * MIB)
        os.remove(tree / "large")
        self.assertLess(self.du(tree) - directory, 3 * MIB)

    def copy_shares(self, command, source, target):
        body = os.urandom(4 * MIB)
        self.assertTrue(self.s3.put(f"/bucket/{source.name}", body).ok)
        before = self.used_blobs()
        subprocess.run([*command, str(source), str(target)], check=True)
        self.assertEqual(target.read_bytes(), body)
        after = self.used_blobs()
        self.assertEqual(self.s3.get("/other/" + target.name).body, body)
        return before, after

    def roots(self):
        """With passthrough, if this user may have it, and without."""
        return self.root / "s3v", self.store.mount("/s3v", options="nopassthrough", name="plain")

    def test_cp_between_buckets_shares_the_blob(self):
        for root in self.roots():
            for flag in ("--reflink=auto", None):
                with self.subTest(root=root, flag=flag):
                    name = f"cp-{root.name}-{flag}"
                    source, target = root / "bucket" / name, root / "other" / name
                    command = ["cp", flag] if flag else ["cp"]
                    before, after = self.copy_shares(command, source, target)
                    self.assertEqual(set(after), set(before))
                    self.assertEqual(sum(after.values()), sum(before.values()) + 1)
            # Each is its own file from now on.
            with open(target, "r+b") as file:
                file.write(b"changed")
            self.assertNotEqual(source.read_bytes()[:7], b"changed")
            self.assertEqual(target.read_bytes()[7:], source.read_bytes()[7:])

    def test_mv_between_buckets_shares_the_blob(self):
        for root in self.roots():
            with self.subTest(root=root):
                name = f"moved-{root.name}"
                source, target = root / "bucket" / name, root / "other" / name
                before, after = self.copy_shares(["mv"], source, target)
                self.assertEqual(set(after), set(before))
                self.assertFalse(source.exists())
                self.assertEqual(self.s3.head(f"/bucket/{name}").status, 404)
                self.store.run("gc")
                self.assertEqual(set(self.used_blobs()), set(before))

    def test_cp_and_mv_carry_what_was_just_written(self):
        for command in ("cp", "mv"):
            body = os.urandom(3 * MIB)
            source, target = self.point / command, self.root / "s3v" / "other" / command
            source.write_bytes(body)
            subprocess.run([command, str(source), str(target)], check=True)
            self.assertEqual(self.s3.get(f"/other/{command}").body, body)
            self.assertEqual(source.exists(), command == "cp")

    def test_rename_and_link_across_buckets_say_that_they_cannot(self):
        source = self.point / "file"
        source.write_bytes(b"x")
        for call in (os.rename, os.link):
            with self.assertRaises(OSError) as caught:
                call(source, self.root / "s3v" / "other" / "file")
            self.assertEqual(caught.exception.errno, 18)  # EXDEV
        self.assertEqual(self.s3.get("/bucket/file").body, b"x")

    def test_a_tree_moves_between_buckets(self):
        tree = self.point / "tree"
        for name in ("a/b/file", "a/file", "empty/.keep"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(name.encode())
        shutil.rmtree(tree / "empty" / ".keep", ignore_errors=True)
        subprocess.run(["mv", str(tree), str(self.root / "s3v" / "other" / "tree")], check=True)
        self.assertEqual(self.s3.list("bucket"), {})
        self.assertEqual(self.s3.get("/other/tree/a/b/file").body, b"a/b/file")


if __name__ == "__main__":
    unittest.main()
