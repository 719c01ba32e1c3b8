"""cp and mv between buckets share content also while the kernel reads the source itself (passthrough, decision
13): on XFS with and without reflink, by the blobs' references and by what the disk has left. A later write, by the
mount or by PUT, to either leaves the other alone. Root: a loop device and a mount of the daemon's own."""

import contextlib
import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from amphora_store import Store

MIB = 1 << 20
SIZE = 64 * MIB


@unittest.skipUnless(os.geteuid() == 0, "a loop device and passthrough need root")
class SharingTest(unittest.TestCase):
    REFLINK = 0

    def setUp(self):
        disk = Path(tempfile.mkdtemp(prefix="amphora-test-"))
        self.addCleanup(lambda: subprocess.run(["rm", "-rf", str(disk)], check=False))
        image, point = disk / "image", disk / "disk"
        point.mkdir()
        with open(image, "wb") as file:
            file.truncate(2 << 30)
        subprocess.run(["mkfs.xfs", "-q", "-m", f"reflink={self.REFLINK}", str(image)], check=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=True)
        self.addCleanup(lambda: subprocess.run(["umount", "-l", str(point)], check=False))
        self.store = Store(start=False)
        self.store.data = point / "data"
        self.addCleanup(self.store.close)
        self.store.start()
        for bucket in ("one", "two"):
            self.store.run("bucket", "create", f"/s3v/{bucket}")
        root = self.store.mount("/s3v")
        self.one, self.two = root / "one", root / "two"
        self.body = os.urandom(SIZE)

    def blobs(self):
        """How often each blob is referred to."""
        dump = self.store.run("dump").stdout
        return {int(blob): int(count) for blob, count in
                re.findall(r"^blob (\d+) .*references=(\d+)", dump, re.MULTILINE)}

    def disk_bytes(self):
        """What the data directory's disk holds, the log of the store apart."""
        os.sync()
        return sum(f.stat().st_blocks * 512 for f in (self.store.data / "blobs").rglob("*") if f.is_file())

    def put(self, path, body=None):
        self.assertTrue(self.store.s3.put(f"/{path.parent.name}/{path.name}", body or self.body).ok)

    def get(self, path):
        answer = self.store.s3.get(f"/{path.parent.name}/{path.name}")
        self.assertEqual(answer.status, 200)
        return answer.body

    def reads(self):
        text = self.store.s3.get("/-/metrics").body.decode()
        found = re.findall(r'^amphora_mount_operations_total\{[^}]*operation="read"[^}]*\} (\d+)', text, re.MULTILINE)
        self.assertEqual(len(found), 1, text[:500])
        return int(found[0])

    def all_closed(self):
        """The kernel tells of a close behind our back."""
        limit = time.monotonic() + 60
        while self.store.json("status")["store"]["open_handles"] > 0:
            self.assertLess(time.monotonic(), limit)

    def share(self, command, source, target):
        blobs, held = self.blobs(), self.disk_bytes()
        subprocess.run([command, str(source), str(target)], check=True)
        after = self.blobs()
        self.assertEqual(set(after), set(blobs), "no blob is new")
        self.assertLess(self.disk_bytes(), held + MIB)
        return sum(after.values()) - sum(blobs.values())

    def consistent(self):
        for path in (self.one / "file", self.two / "file"):
            if path.exists():
                self.assertEqual(path.stat().st_size, SIZE)
        self.assertEqual(self.store.run("check").returncode, 0)

    def test_passthrough_is_on(self):
        self.put(self.one / "file")
        before = self.reads()
        self.assertTrue((self.one / "file").read_bytes() == self.body)
        self.assertEqual(self.reads(), before)

    def test_cp_shares_and_both_are_read_by_the_kernel(self):
        source, target = self.one / "file", self.two / "file"
        self.put(source)
        self.assertEqual(self.share("cp", source, target), 1)
        before = self.reads()
        for path in (source, target):
            self.all_closed()
            self.assertTrue(path.read_bytes() == self.body, path)
        self.assertEqual(self.reads(), before)
        du = subprocess.run(["du", "-B1", str(target)], capture_output=True, text=True, check=True).stdout
        self.assertGreaterEqual(int(du.split()[0]), SIZE, "each file by itself holds its bytes")
        self.consistent()

    def test_mv_moves_no_byte(self):
        source, target = self.one / "file", self.two / "file"
        self.put(source)
        self.assertEqual(self.share("mv", source, target), 0)
        self.assertFalse(source.exists())
        self.store.run("gc")
        self.assertTrue(target.read_bytes() == self.body)
        self.assertTrue(self.get(target) == self.body)
        self.consistent()

    def test_what_the_mount_wrote_is_shared_too(self):
        source, target = self.one / "file", self.two / "file"
        source.write_bytes(self.body)
        self.assertEqual(self.share("cp", source, target), 1)
        self.assertTrue(target.read_bytes() == self.body)
        self.consistent()

    def test_a_later_write_to_either_leaves_the_other_alone(self):
        source, target = self.one / "file", self.two / "file"
        for written, other in ((source, target), (target, source)):
            for beside_a_reader in (False, True):
                with self.subTest(written=written, beside_a_reader=beside_a_reader):
                    self.put(source)
                    target.unlink(missing_ok=True)
                    subprocess.run(["cp", str(source), str(target)], check=True)
                    reader = open(written, "rb") if beside_a_reader else None
                    with open(written, "r+b") as file:
                        file.write(b"written")
                    if reader:
                        self.assertEqual(reader.read(7), b"written")
                        reader.close()
                    self.assertTrue(other.read_bytes() == self.body)
                    self.assertTrue(self.get(other) == self.body)
                    self.assertTrue(self.get(written) == b"written" + self.body[7:])
                    self.consistent()

    def test_a_later_put_to_either_leaves_the_other_alone(self):
        source, target = self.one / "file", self.two / "file"
        for written, other in ((source, target), (target, source)):
            with self.subTest(written=written):
                self.put(source)
                target.unlink(missing_ok=True)
                subprocess.run(["cp", str(source), str(target)], check=True)
                with open(other, "rb") as reader:
                    self.put(written, self.body[::-1])
                    self.assertTrue(reader.read() == self.body)
                self.assertTrue(self.get(other) == self.body)
                self.assertTrue(written.read_bytes() == self.body[::-1])
                self.consistent()

    def test_a_kill_beside_writers_of_both_leaves_two_whole_files(self):
        source, target = self.one / "file", self.two / "file"
        self.put(source)
        subprocess.run(["cp", str(source), str(target)], check=True)
        reader = open(source, "rb")
        first, second = open(source, "r+b"), open(target, "r+b")
        for file, word in ((first, b"source"), (second, b"target")):
            file.write(word)
            file.flush()
            os.fsync(file.fileno())
        self.store.kill()
        for file in (first, second, reader):
            with contextlib.suppress(OSError):  # nobody answers
                file.close()
        self.store.unmount_dead()
        self.store.start()
        for path, word in ((source, b"source"), (target, b"target")):
            self.assertTrue(self.get(path) == word + self.body[6:], path)
        self.assertEqual(self.store.run("check").returncode, 0)


class SharingWithReflinkTest(SharingTest):
    REFLINK = 1


if __name__ == "__main__":
    unittest.main()
