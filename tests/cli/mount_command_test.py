"""mount, umount, and what becomes of mounts when the daemon ends well or badly."""

import errno
import os
import subprocess
import unittest

from amphora_store import Store, is_mounted

# What the kernel answers for a daemon that is gone.
DEAD = (errno.ENOTCONN, errno.ECONNABORTED, errno.ECANCELED)


class MountCommandTest(unittest.TestCase):
    def test_whole_store_one_volume_and_one_bucket(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            self.assertTrue(store.s3.put("/abc/key", b"bytes").ok)
            whole = store.mount("/", name="whole")
            volume = store.mount("/s3v", name="volume")
            bucket = store.mount("/s3v/abc", name="bucket")
            self.assertEqual((whole / "s3v/abc/key").read_bytes(), b"bytes")
            self.assertEqual((volume / "abc/key").read_bytes(), b"bytes")
            self.assertEqual((bucket / "key").read_bytes(), b"bytes")
            listed = {(m["source"], m["directory"]) for m in store.json("status")["mounts"]}
            self.assertEqual(listed, {("/", str(whole)), ("/s3v", str(volume)), ("/s3v/abc", str(bucket))})

    def test_status_counts_requests_and_tells_what_was_granted(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            before = store.json("status")["mounts"][0]
            for i in range(10):
                (point / f"file-{i}").write_bytes(b"x")
            after = store.json("status")["mounts"][0]
            self.assertGreaterEqual(after["requests"], before["requests"] + 10)
            for what in ("passthrough", "io_uring"):
                self.assertEqual(after[what], after[f"{what}_reason"] == "", after)
            self.assertIn(after["name_invalidation"], ("entry", "epoch", "timeout"))
            self.assertIn("passthrough", store.run("status").stdout)

    def test_refusals_name_the_culprit_and_mount_nothing(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.directory / "point"
            point.mkdir()
            a_file = store.directory / "file"
            a_file.touch()
            for arguments, wanted in {
                ("/s3v/nobody", point): "/s3v/nobody",
                ("/nowhere", point): "/nowhere",
                ("/s3v/abc", store.directory / "missing"): "missing",
                ("/s3v/abc", a_file): str(a_file),
            }.items():
                with self.subTest(wanted):
                    result = store.run("mount", *arguments, check=False)
                    self.assertEqual(result.returncode, 1, result.stderr)
                    self.assertIn(wanted, result.stderr)
            self.assertFalse(is_mounted(point))
            result = store.run("umount", point, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(str(point), result.stderr)

    def test_a_mounted_directory_is_refused(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            result = store.run("mount", "/s3v/abc", point, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"{point}: in use by another process (this daemon has a mount there)", result.stderr)
            self.assertTrue(is_mounted(point))

    def test_read_only(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc", options="ro")
            with self.assertRaises(OSError) as refused:
                (point / "file").write_bytes(b"x")
            self.assertEqual(refused.exception.errno, errno.EROFS)
            self.assertTrue(store.json("status")["mounts"][0]["read_only"])

    def test_umount_ends_it_and_refuses_while_files_are_open(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            with open(point / "file", "wb"):
                result = store.run("umount", point, check=False)
                self.assertEqual(result.returncode, 1)
                self.assertIn(str(point), result.stderr)
            store.run("umount", point)
            self.assertFalse(is_mounted(point))
            self.assertEqual(store.json("status")["mounts"], [])
            store.run("mount", "/s3v/abc", point)
            self.assertTrue((point / "file").exists())

    def test_a_mount_that_somebody_else_ended_is_forgotten(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            subprocess.run(["umount", str(point)], check=True)
            store.run("mount", "/s3v/abc", point)
            self.assertEqual(len(store.json("status")["mounts"]), 1)
            self.assertTrue(is_mounted(point))

    def test_sigterm_unmounts(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            (point / "file").write_bytes(b"bytes")
            self.assertEqual(store.stop(), 0)
            self.assertFalse(is_mounted(point))
            store.start()
            self.assertEqual(store.s3.get("/abc/file").body, b"bytes")

    def test_sigterm_unmounts_while_files_are_open(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            held = os.open(point / "file", os.O_CREAT | os.O_WRONLY)
            try:
                os.write(held, b"bytes")
                self.assertEqual(store.stop(), 0)
                self.assertFalse(is_mounted(point))
            finally:
                try:
                    os.close(held)
                except OSError as error:
                    self.assertIn(error.errno, DEAD)
            store.start()
            self.assertEqual(store.s3.get("/abc/file").body, b"bytes")

    def test_mounting_over_the_mount_of_a_killed_daemon_works(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            (point / "file").write_bytes(b"bytes")
            store.kill()
            self.assertTrue(is_mounted(point))
            with self.assertRaises(OSError) as dead:
                os.listdir(point)
            self.assertIn(dead.exception.errno, DEAD)
            store.start()
            store.run("mount", "/s3v/abc", point)
            self.assertEqual((point / "file").read_bytes(), b"bytes")
            self.assertEqual(store.json("check")["findings_total"], 0)

    def test_umount_cleans_up_a_dead_mount_with_and_without_a_daemon(self):
        for with_daemon in (False, True):
            with self.subTest(with_daemon=with_daemon), Store() as store:
                store.run("bucket", "create", "/s3v/abc")
                point = store.mount("/s3v/abc")
                store.kill()
                if with_daemon:
                    store.start()
                store.run("umount", point)
                self.assertFalse(is_mounted(point))


if __name__ == "__main__":
    unittest.main()
