"""What no suite covers: unnamed files, refused rename flags, 100,000 links, long and deep paths, holes, times of mapped
files that are closed, directory positions while names come and go, setuid without extra requests, supplementary groups.
"""

import ctypes
import errno
import mmap
import os
import subprocess
import time
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk

LIBC = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, AT_SYMLINK_FOLLOW, RENAME_WHITEOUT = -100, 0x400, 4
LINKS = 100_000
PATH_MAX = 4096
LARGE = 1 << 20  # bytes: stored in a blob, so opened in passthrough
PATIENCE_S = 20


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def link_open(descriptor, name):
    """linkat(2) of an open file, which os.link does not know."""
    source = f"/proc/self/fd/{descriptor}".encode()
    if LIBC.linkat(AT_FDCWD, source, AT_FDCWD, str(name).encode(), AT_SYMLINK_FOLLOW) != 0:
        raise OSError(ctypes.get_errno(), "linkat")


def eventually(holds):
    limit = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.01)
    return True


class PointsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        disk = cls.enterClassContext(PowerDisk(4096))
        cls.mount = cls.enterClassContext(posix_mount(disk, MODES[0]))

    def setUp(self):
        self.folder = self.mount.point / self._testMethodName
        self.folder.mkdir()

    def assertErrno(self, code, function, *arguments):
        with self.assertRaises(OSError) as raised:
            function(*arguments)
        self.assertEqual(errno.errorcode[raised.exception.errno], errno.errorcode[code])

    def keys(self):
        listed = self.mount.store.s3.request("GET", f"/posix?list-type=2&prefix={self.folder.name}/").body.decode()
        return [part.split("</Key>")[0].split("/", 1)[1] for part in listed.split("<Key>")[1:]]

    def test_an_unnamed_file_gets_a_name_once(self):
        file = os.open(self.folder, os.O_TMPFILE | os.O_RDWR, 0o640)
        os.write(file, b"unnamed")
        self.assertEqual((os.fstat(file).st_nlink, os.listdir(self.folder), self.keys()), (0, [], [""]))
        link_open(file, self.folder / "named")
        self.assertEqual((os.fstat(file).st_nlink, os.listdir(self.folder)), (1, ["named"]))
        self.assertEqual(self.mount.store.s3.get(f"/posix/{self.folder.name}/named").body, b"unnamed")
        os.unlink(self.folder / "named")
        self.assertErrno(errno.ENOENT, link_open, file, self.folder / "again")
        os.close(file)
        exclusive = os.open(self.folder, os.O_TMPFILE | os.O_RDWR | os.O_EXCL)
        self.assertErrno(errno.ENOENT, link_open, exclusive, self.folder / "never")
        os.close(exclusive)

    def test_whiteout_is_refused(self):
        (self.folder / "a").touch()
        names = [str(self.folder / name).encode() for name in "ab"]
        self.assertEqual(LIBC.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_WHITEOUT), -1)
        self.assertEqual(ctypes.get_errno(), errno.EINVAL)
        self.assertEqual(os.listdir(self.folder), ["a"])

    def test_a_hundred_thousand_links(self):
        first = self.folder / "first"
        first.write_bytes(b"one file")
        folder = os.open(self.folder, os.O_RDONLY)
        for number in range(LINKS):
            os.link("first", f"link{number}", src_dir_fd=folder, dst_dir_fd=folder)
        self.assertEqual(first.stat().st_nlink, LINKS + 1)
        self.assertEqual(len(os.listdir(self.folder)), LINKS + 1)
        for number in range(LINKS):
            os.unlink(f"link{number}", dir_fd=folder)
        os.close(folder)
        self.assertEqual((first.stat().st_nlink, first.read_bytes()), (1, b"one file"))

    def test_long_names_and_deep_paths(self):
        name = "n" * 255
        (self.folder / name).write_text("longest")
        self.assertEqual((self.folder / name).read_text(), "longest")
        self.assertErrno(errno.ENAMETOOLONG, (self.folder / (name + "n")).touch)
        self.assertErrno(errno.ENAMETOOLONG, (self.folder / (name + "n")).stat)
        umlauts = "ü" * 127 + "x"  # 255 bytes
        (self.folder / umlauts).mkdir()
        self.assertIn(umlauts, os.listdir(self.folder))
        here = os.open(".", os.O_RDONLY)
        try:
            os.chdir(self.folder)
            for _ in range(60):
                os.mkdir("d" * 100)
                os.chdir("d" * 100)
            with open("bottom", "w", encoding="utf-8") as bottom:
                bottom.write("deep")
            self.assertEqual(len(os.getcwd()) > PATH_MAX, True)
        except FileNotFoundError as error:  # getcwd(3) of what is longer than PATH_MAX
            self.assertEqual(error.errno, errno.ENOENT)
        except OSError as error:
            self.assertEqual(error.errno, errno.ENAMETOOLONG)
        finally:
            os.chdir(here)
            os.close(here)
        longest = os.path.join(str(self.folder), *["d" * 100] * 35)
        longest += "/" * (PATH_MAX - 1 - len(longest))
        self.assertTrue(os.path.isdir(longest))
        self.assertErrno(errno.ENAMETOOLONG, os.stat, longest + "/")
        subprocess.run(["rm", "-r", self.folder / ("d" * 100)], check=True)

    def test_holes_take_no_room_and_are_found(self):
        with open(self.folder / "sparse", "wb+") as file:
            file.truncate(1 << 40)
            file.seek(1 << 39)
            file.write(b"x" * 4096)
            file.flush()
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_DATA), 1 << 39)
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_HOLE), 0)
            self.assertEqual(os.lseek(file.fileno(), 1 << 39, os.SEEK_HOLE), (1 << 39) + 4096)
            self.assertErrno(errno.ENXIO, os.lseek, file.fileno(), (1 << 39) + 4096, os.SEEK_DATA)
            self.assertErrno(errno.ENXIO, os.lseek, file.fileno(), 1 << 40, os.SEEK_HOLE)
        self.assertLess(os.stat(self.folder / "sparse").st_blocks * 512, 1 << 20)
        self.assertEqual(os.stat(self.folder / "sparse").st_size, 1 << 40)

    def test_a_mapping_moves_times_also_after_close(self):
        path = self.folder / "mapped"
        path.write_bytes(bytes(LARGE))
        os.utime(path, (1, 1))
        before = path.stat()
        with open(path, "rb+") as file:
            memory = mmap.mmap(file.fileno(), LARGE)
        self.assertEqual(path.stat().st_mtime, 1)
        memory[5000:5005] = b"store"
        memory.flush()
        self.assertTrue(eventually(lambda: path.stat().st_mtime > 1))
        self.assertGreater(path.stat().st_ctime_ns, before.st_ctime_ns)
        self.assertEqual(self.mount.store.s3.get(f"/posix/{self.folder.name}/mapped").body[5000:5005], b"store")
        memory.close()
        self.assertGreater(path.stat().st_mtime, 1)
        self.assertEqual(path.read_bytes()[5000:5005], b"store")

    def test_positions_survive_what_comes_and_goes(self):
        names = {f"name{number}" for number in range(3000)}
        for name in names:
            (self.folder / name).touch()
        seen = []
        with os.scandir(self.folder) as entries:
            for entry in entries:
                seen.append(entry.name)
                if len(seen) % 3 == 0 and entry.name in names:
                    os.unlink(entry)
                if len(seen) % 10 == 0 and len(seen) < 9000:
                    (self.folder / f"later{len(seen)}").touch()
        self.assertEqual(sorted(name for name in seen if name in names), sorted(names))
        self.assertEqual(len(seen), len(set(seen)))

    def test_a_position_of_a_removed_name_goes_on_behind_it(self):
        for number in range(500):
            (self.folder / f"name{number}").touch()
        LIBC.opendir.restype = LIBC.readdir.restype = ctypes.c_void_p
        LIBC.telldir.restype = ctypes.c_long
        directory = ctypes.c_void_p(LIBC.opendir(str(self.folder).encode()))

        def read():
            entry = LIBC.readdir(directory)
            return ctypes.string_at(entry + 19).decode() if entry else None  # d_name's place in struct dirent

        first = [read() for _ in range(250)]
        position = LIBC.telldir(directory)
        following = [read() for _ in range(20)]
        for name in first[240:] + following[:5]:
            os.unlink(self.folder / name)
        LIBC.seekdir(directory, ctypes.c_long(position))
        rest = list(iter(read, None))
        LIBC.closedir(directory)
        names = {f"name{number}" for number in range(500)} - set(first) - set(following[:5])
        self.assertEqual(set(rest) - set(following[:5]), names)
        self.assertEqual(len(rest), len(set(rest)))

    def test_writes_to_an_open_large_file_send_no_request(self):
        path = self.folder / "large"
        path.write_bytes(bytes(LARGE))
        os.chown(path, 1001, 1001)
        script = ("import os, sys\nf = os.open(sys.argv[1], os.O_RDWR)\nos.write(f, b'x')\nprint('open', flush=True)\n"
                  "input()\nfor i in range(100): os.pwrite(f, b'y', i)\nprint('written', flush=True)\ninput()\n")
        with subprocess.Popen(["python3", "-c", script, path], user=1001, group=1001, extra_groups=[], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            self.assertEqual(writer.stdout.readline(), "open\n")
            before = self.mount.store.counter("mount_requests")
            writer.stdin.write("\n")
            writer.stdin.flush()
            self.assertEqual(writer.stdout.readline(), "written\n")
            # What earlier tests let go of may still be told to us.
            self.assertLess(self.mount.store.counter("mount_requests") - before, 20)
            writer.communicate("\n")

    def test_a_strangers_write_takes_setuid_and_setgid(self):
        for size in (10, LARGE):
            path = self.folder / f"tool{size}"
            path.write_bytes(bytes(size))
            os.chmod(path, 0o6777)
            subprocess.run(["sh", "-c", f"printf x >> {path}"], check=True, user=1001, group=1001, extra_groups=[])
            self.assertEqual(oct(path.stat().st_mode & 0o7777), oct(0o777))

    def test_supplementary_groups_count(self):
        path = self.folder / "shared"
        path.write_text("group only")
        os.chown(path, 0, 2000)
        os.chmod(path, 0o060)
        for groups, code in (([2000], 0), ([2001], 1), ([], 1)):
            answer = subprocess.run(["cat", path], capture_output=True, check=False, user=1001, group=1001,
                                    extra_groups=groups)
            self.assertEqual(answer.returncode, code)

    def test_birth_time_is_kept(self):
        path = self.folder / "born"
        path.write_text("x")

        def birth():
            return subprocess.run(["stat", "-c", "%w", path], capture_output=True, text=True, check=True).stdout

        before = birth()
        self.assertRegex(before, r"^20\d\d-")
        os.utime(path, (1, 1))
        path.write_text("longer than before")
        os.chmod(path, 0o600)
        self.assertEqual(birth(), before)


if __name__ == "__main__":
    unittest.main()
