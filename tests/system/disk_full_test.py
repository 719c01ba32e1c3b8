"""A disk that fills up: programs are told ENOSPC, S3 clients 507 StorageFull; nothing that was acknowledged is
lost; deleting works at any time; and once there is room again everything works, without a restart. On a small
loop-mounted XFS, filled through S3, through the mount and in passthrough.
"""

import contextlib
import errno
import hashlib
import os
import subprocess
import time
import unittest
from pathlib import Path

from amphora_store import Store

DISK_MIB = 1024
PIECE = 8 << 20
LIMIT_S = 60


@contextlib.contextmanager
def small_disk(directory):
    """An XFS of DISK_MIB in a sparse file; root only."""
    image, point = directory / "image", directory / "disk"
    point.mkdir()
    with open(image, "wb") as file:
        file.truncate(DISK_MIB << 20)
    subprocess.run(["mkfs.xfs", "-q", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", point], check=True)


def content(seed, size):
    return hashlib.shake_128(str(seed).encode()).digest(1 << 16) * (size >> 16)


def wait_until(condition, what):
    limit = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"never: {what}")
        time.sleep(0.1)


@unittest.skipUnless(os.geteuid() == 0, "a small disk to mount needs root")
class DiskFullTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store(start=False))
        self.disk = self.enterContext(small_disk(self.store.directory))
        self.addCleanup(self.end)
        self.store.data = self.disk / "data"
        self.store.start()
        self.store.run("bucket", "create", "/s3v/abc")
        self.point = self.store.mount("/s3v/abc")
        self.kept = {}
        for i in range(20):
            self.put(f"before-{i}", content(i, 1 << 16))

    def end(self):
        """Before the disk is unmounted."""
        if self.store.daemon is not None:
            self.store.stop()

    def put(self, key, data):
        answer = self.store.s3.put(f"/abc/{key}", data)
        if answer.ok:
            self.kept[key] = hashlib.sha256(data).digest()
        return answer

    def fill_by_s3(self):
        """Large objects, then small ones, until the store says that it is full."""
        for size in (PIECE, 1 << 16, 1 << 12):
            for i in range(1 << 20):
                data = content(i, max(size, 1 << 16))[:size]
                answer = self.put(f"fill-{size}-{i}", data)
                if not answer.ok:
                    break
            self.assertEqual(answer.status, 507, answer.body)
            self.assertIn(b"<Code>StorageFull</Code>", answer.body)

    def check_kept(self):
        lost = [key for key, digest in self.kept.items()
                if hashlib.sha256(self.store.s3.get(f"/abc/{key}").body).digest() != digest]
        self.assertEqual(lost, [])

    def delete(self, key):
        answer = self.store.s3.delete(f"/abc/{key}")
        if answer.ok:
            del self.kept[key]
        return answer.ok

    def free_and_work_again(self):
        """Deletes what is large, by both faces; then both can write again."""
        large = [key for key in self.kept if key.startswith(f"fill-{PIECE}-")]
        for key in large[1::2]:
            wait_until(lambda key=key: self.delete(key), f"DELETE of {key} works")
        for key in large[0::2]:
            os.unlink(self.point / key)
            del self.kept[key]
        self.store.run("gc")
        wait_until(lambda: not self.store.json("status")["store"]["disk_full"], "there is room again")
        wait_until(lambda: self.put("after", content("after", PIECE)).ok, "PUT works again")
        data = content("mount", PIECE)
        (self.point / "after-mount").write_bytes(data)
        self.kept["after-mount"] = hashlib.sha256(data).digest()
        self.check_kept()

    def finish(self):
        self.assertEqual(self.store.json("check")["findings_total"], 0)
        self.assertEqual(self.store.stop(), 0)
        self.store.start()
        self.check_kept()
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def test_filled_by_s3(self):
        self.fill_by_s3()
        self.check_kept()
        self.assertTrue(self.store.json("status")["store"]["disk_full"])
        self.assertIn("507 StorageFull", self.store.run("status").stdout)
        with self.assertRaises(OSError) as refused:
            (self.point / "new").write_bytes(b"x")
        self.assertEqual(refused.exception.errno, errno.ENOSPC)
        self.assertEqual(os.statvfs(self.point).f_bavail, 0)
        self.free_and_work_again()
        self.finish()

    def test_filled_through_the_mount(self):
        path, written = self.point / "large", 0
        with open(path, "wb", buffering=0) as file, self.assertRaises(OSError) as refused:
            while True:
                written += file.write(content(written, PIECE))
        self.assertEqual(refused.exception.errno, errno.ENOSPC)
        self.assertGreater(written, DISK_MIB << 19)
        self.assertEqual(path.stat().st_size, written)
        self.fill_by_s3()  # smaller pieces fit for a while
        self.check_kept()
        os.unlink(path)  # at once: what the store needed for it was kept
        self.free_and_work_again()
        self.finish()

    def test_filled_past_the_daemon_and_restarted_while_full(self):
        # In passthrough, and by another program on the same disk: neither asks the daemon.
        path = self.point / "passthrough"
        path.write_bytes(content("passthrough", PIECE))
        with open(path, "ab", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(content(0, PIECE))
        stranger = self.disk / "stranger"
        with open(stranger, "wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(content(1, PIECE))
        wait_until(lambda: self.put("refused", content("refused", 1 << 16)).status == 507, "PUT is refused")
        self.check_kept()
        self.assertEqual(self.store.stop(), 0)
        self.store.start()
        self.store.run("mount", "/s3v/abc", self.point)
        self.check_kept()
        wait_until(lambda: self.delete("before-19"), "DELETE works")
        stranger.unlink()
        os.unlink(path)
        self.free_and_work_again()
        self.finish()


if __name__ == "__main__":
    unittest.main()
