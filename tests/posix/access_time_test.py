"""Access times: with relatime opening a file for reading moves it where reading does on XFS; with noatime, the default,
nothing does.
"""

import os
import unittest
from pathlib import Path

from posix_mount import BUCKET, MODES, posix_mount
from power_disk import PowerDisk

SIZES = (100, 1 << 20)  # in the store; in a blob, so read in passthrough
OLD_S = 1_000_000_000


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def read(path, flags=0):
    file = os.open(path, os.O_RDONLY | flags)
    os.read(file, 10)
    os.close(file)


# What is done to a file whose access time was just set to the past (and whose ctime is therefore of now), and then it
# is looked whether that time moved.
CASES = {
    "read": read,
    "read without noting it": lambda path: read(path, os.O_NOATIME),
    "written": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_APPEND)),
    "looked at": os.stat,
    "opened as a path": lambda path: os.close(os.open(path, os.O_PATH)),
    "renamed": lambda path: (os.rename(path, f"{path}-"), os.rename(f"{path}-", path)),
}


class AccessTimeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        disk = cls.enterClassContext(PowerDisk(4096))
        cls.mount = cls.enterClassContext(posix_mount(disk, MODES[0]))
        cls.relative = cls.mount.store.mount(BUCKET, options="relatime,allow_other", name="relative")

    def moved(self, folder, size, act):
        path = folder / f"{self._testMethodName}{size}"
        path.write_bytes(bytes(size))
        os.utime(path, (OLD_S, OLD_S))
        before = path.stat()
        act(path)
        self.settle()
        after = path.stat()
        self.assertEqual(after.st_mtime_ns, before.st_mtime_ns)
        if act is read:
            self.assertEqual(after.st_ctime_ns, before.st_ctime_ns)
        path.unlink()
        return after.st_atime != OLD_S

    def settle(self):
        """Kernels are told in the background, but S3 answers only when they have been."""
        self.mount.store.s3.put("/posix/marker", b"x")

    def test_relatime_moves_what_xfs_moves(self):
        for size in SIZES:
            for name, act in CASES.items():
                with self.subTest(name, size=size):
                    self.assertEqual(self.moved(self.relative, size, act), self.moved(self.mount.reference, size, act))

    def test_relatime_moves_once_after_each_change(self):
        for size in SIZES:
            with self.subTest(size=size):
                path = self.relative / f"again{size}"
                path.write_bytes(bytes(size))
                os.utime(path, (OLD_S, OLD_S))
                read(path)
                self.settle()
                first = path.stat().st_atime_ns
                self.assertGreater(first, path.stat().st_ctime_ns)
                read(path)
                self.assertEqual(path.stat().st_atime_ns, first)
                with open(path, "r+b") as file:
                    file.write(b"changed")
                read(path)
                self.settle()
                self.assertGreater(path.stat().st_atime_ns, first)

    def test_the_other_mount_sees_it(self):
        path = self.relative / "seen"
        path.write_bytes(b"x")
        os.utime(path, (OLD_S, OLD_S))
        other = self.mount.point / "seen"
        self.assertEqual(other.stat().st_atime, OLD_S)
        read(path)
        self.settle()
        self.assertEqual(other.stat().st_atime_ns, path.stat().st_atime_ns)
        self.assertGreater(other.stat().st_atime, OLD_S)

    def test_noatime_is_the_default_and_moves_nothing(self):
        for size in SIZES:
            with self.subTest(size=size):
                self.assertFalse(self.moved(self.mount.point, size, read))

    def test_the_mount_table_says_which(self):
        lines = {line.split()[1]: line.split()[3].split(",")
                 for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()}
        self.assertIn("noatime", lines[str(self.mount.point)])
        self.assertIn("relatime", lines[str(self.relative)])


if __name__ == "__main__":
    unittest.main()
