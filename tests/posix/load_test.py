"""fsx, fio's verifying jobs, stress-ng's file classes and dbench on the mount.

AMPHORA_TEST_SCALE says how much they do. At 50, as in scripts/nightly, fsx does 10^6 operations in the first mode and
10^5 in the others.
"""

import os
import random
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled

HERE = Path(__file__).resolve().parent
FSX = Path(os.environ["AMPHORA_TOOLS"]) / "fsx"
FSX_OPERATIONS = {"both": 20_000}
FSX_OPERATIONS_ELSEWHERE = 2_000
LIMIT_S = 3600

# stress-ng's classes of file operations that a mount can carry. Left out: chattr, fiemap, file-ioctl, inode-flags and
# verity need ioctls that FUSE does not pass on; bind-mount, binderfs, eventfd, fanotify, inotify, dnotify, ioprio,
# lease and procfs test the kernel and not a file system; io_uring and aio are fio's below.
STRESSORS = ("access", "chdir", "chmod", "chown", "copy-file", "dentry", "dir", "dirdeep", "dirmany", "dup",
             "fallocate", "fcntl", "filename", "flock", "fpunch", "fstat", "getdent", "hdd", "iomix", "link", "locka",
             "lockf", "lockofd", "mknod", "mmapfork", "open", "rename", "seek", "sendfile", "splice", "symlink",
             "sync-file", "touch", "utime", "xattr")

# (engine, options): every way that programs write by.
FIO_JOBS = (("psync", ""), ("psync", "--fsync=16"), ("psync", "--direct=1"),
            ("libaio", "--iodepth=8 --direct=1"), ("libaio", "--iodepth=8"),
            ("io_uring", "--iodepth=8"), ("io_uring", "--iodepth=8 --direct=1"), ("mmap", ""))
BLOCK_SIZES = ("4k", "64k", "1m")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


class LoadTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(16384))

    def fsx(self, mode):
        operations = scaled(FSX_OPERATIONS.get(mode.name, FSX_OPERATIONS_ELSEWHERE), 1000)
        seed = random.randrange(1 << 31)
        print(f"fsx, mode {mode.name}: seed {seed}, {operations} operations")
        with posix_mount(self.disk, mode) as mount:
            configuration = mount.store.directory / "fsx.toml"
            # With an msync after every store half of the operations wait for the disk: a tenth of the run does that.
            for nomsync, share in (("true", 0.9), ("false", 0.1)):
                configuration.write_text((HERE / "fsx.toml").read_text().replace("NOMSYNC", nomsync))
                mount.run(FSX, "-q", "-S", seed, "-N", int(operations * share), "-f", configuration,
                          "-P", mount.store.directory, mount.point / "fsx", timeout=LIMIT_S)

    def test_fsx_in_the_first_mode(self):
        self.fsx(MODES[0])

    def test_fsx_in_the_others(self):
        for mode in MODES[1:]:
            with self.subTest(mode.name):
                self.fsx(mode)

    def fio(self, mode, block_sizes):
        with posix_mount(self.disk, mode) as mount:
            for engine, options in FIO_JOBS:
                for block in block_sizes:
                    with self.subTest(mode=mode.name, engine=engine, options=options, block=block):
                        mount.run("fio", "--name=job", "--filename=fio", f"--size={scaled(4, 2)}m", f"--bs={block}",
                                  f"--ioengine={engine}", "--rw=randwrite", "--verify=crc32c", "--verify_fatal=1",
                                  "--do_verify=1", "--randrepeat=0", *options.split(), timeout=LIMIT_S)
                        (mount.point / "fio").unlink()

    def test_fio_verifies_what_it_wrote(self):
        self.fio(MODES[0], BLOCK_SIZES)
        self.fio(MODES[3], BLOCK_SIZES[1:2])

    def test_stress_ng(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            stressors = [word for name in STRESSORS for word in (f"--{name}", "1")]
            result = mount.run("stress-ng", *stressors, "--verify", "--timeout", scaled(20, 10), "--temp-path",
                               mount.point, check=False, timeout=LIMIT_S)
            # 3: it says itself that this kernel lacks what one of them tests.
            self.assertIn(result.returncode, (0, 3), result.stdout[-3000:])
            self.assertNotIn("fail:", result.stdout)

    def test_dbench(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            result = mount.run("dbench", "-D", mount.point, "-t", scaled(5, 3), "-c", "/usr/share/dbench/client.txt", 4,
                               timeout=LIMIT_S)
            self.assertIn("Throughput", result.stdout)
            # A client's line about an operation that should have worked.
            self.assertNotRegex(result.stdout, r"(?m)^\[\d+\] .*failed")


if __name__ == "__main__":
    unittest.main()
