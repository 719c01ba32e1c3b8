"""rsync and tar of a tree like a root file system, into the mount and out of it again, with nothing different.

The tree is part of this machine's own /usr and /etc, and beside it what archives get wrong: every kind of node, setuid,
hard links within and across folders, holes, access control lists, capabilities, xattrs of every namespace, names of all
bytes, times before 1970 and behind 2038. It is made on XFS beside the store, which is the reference.
AMPHORA_TEST_SCALE is the part of /usr's files.
"""

import filecmp
import os
import random
import socket
import stat
import struct
import subprocess
import time
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled

FILES = 500
MAX_BYTES = 100 << 20
HOLE = 64 << 20
# linux/capability.h: revision 2, effective; permitted cap_net_bind_service (10) and cap_net_raw (13).
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 10 | 1 << 13, 0, 0, 0)


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def call(*command, cwd="/"):
    result = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, timeout=900, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {result.returncode}\n"
                             f"{result.stderr.decode(errors='replace')[-4000:]}")
    return result.stdout


def copy_of_the_machine(top, count):
    """Part of /usr and /etc, chosen by chance, as it stands."""
    found = call("find", "/etc", "/usr/bin", "/usr/sbin", "/usr/lib", "/usr/share", "-xdev", "(", "-type", "f", "-o",
                 "-type", "l", ")", "-size", "-2000k", "-print0").split(b"\0")[:-1]
    chosen, total = [], 0
    for name in random.sample(found, min(count, len(found))):
        total += os.lstat(name).st_size
        if total > MAX_BYTES:
            break
        chosen.append(name)
    subprocess.run(["xargs", "-0", "cp", "-a", "--parents", "-t", top], input=b"\0".join(chosen), cwd="/", check=True)


def sparse(path):
    """Data at the beginning, in the middle and at the end."""
    with open(path, "wb") as file:
        file.write(b"a" * 70000)
        file.seek(HOLE // 2)
        file.write(b"b" * 4096)
        file.seek(HOLE)
        file.write(b"c")


def nodes(folder):
    folder.mkdir()
    os.mkfifo(folder / "fifo", 0o640)
    os.mknod(folder / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    os.mknod(folder / "disk", stat.S_IFBLK | 0o600, os.makedev(259, 262_143))  # XFS has 18 bits
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    os.symlink("../of/nothing", folder / "dangling")
    os.symlink("x" * 1023, folder / "long")  # the most on XFS
    for path in folder.iterdir():
        os.chown(path, 12, 34, follow_symlinks=False)


def modes(folder):
    folder.mkdir()
    for bits in (0o4755, 0o2755, 0o6711, 0o1777, 0o000, 0o777):
        path = folder / f"{bits:o}"
        path.write_bytes(b"%o" % bits)
        os.chown(path, 65534, 65534)
        os.chmod(path, bits)
        inner = folder / f"d{bits:o}"
        inner.mkdir()
        os.chown(inner, 4_000_000_000, 4_000_000_001)
        os.chmod(inner, bits)


def links(folder):
    folder.mkdir()
    (folder / "one").mkdir()
    (folder / "two").mkdir()
    (folder / "one/first").write_bytes(b"shared" * 10000)
    for number in range(20):
        os.link(folder / "one/first", folder / ("two" if number % 2 else "one") / f"link{number}")
    os.symlink("target", folder / "soft")
    os.link(folder / "soft", folder / "soft too", follow_symlinks=False)
    os.mkfifo(folder / "pipe")
    os.link(folder / "pipe", folder / "pipe too")


def extended(folder):
    folder.mkdir()
    file = folder / "file"
    for path in (file, folder / "dir", folder / "tool"):
        path.mkdir() if path.name == "dir" else path.write_bytes(b"content")
        os.setxattr(path, "user.plain", b"value")
        os.setxattr(path, "user.binary", bytes(range(256)))
        os.setxattr(path, "user.empty", b"")
        os.setxattr(path, "trusted.secret", b"only root sees it")
    os.setxattr(folder / "tool", "security.capability", CAPABILITY)
    os.setxattr(file, "user.large", os.urandom(40_000))
    for number in range(100):
        os.setxattr(file, f"user.number{number}", b"%d" % number)
    os.symlink("file", folder / "link")
    os.setxattr(folder / "link", "trusted.of.a.link", b"yes", follow_symlinks=False)
    call("setfacl", "-m", "u:1002:rwx,g:2000:r,m::rw", file)
    call("setfacl", "-m", "u:1002:-,d:u:1003:rwx,d:g:2000:rx,d:o::-", folder / "dir")
    (folder / "dir/inherits").write_bytes(b"")
    (folder / "dir/below").mkdir()


def names_and_times(folder):
    folder.mkdir()
    for name in (b"\xff\xfe not utf-8", b" spaces ", b"new\nline", b"tab\t", b"back\\slash", b"-rf", b"*",
                 "ü".encode(), b"n" * 255, bytes(byte for byte in range(1, 256) if byte != ord("/"))):
        Path(os.fsdecode(os.path.join(os.fsencode(folder), name))).write_bytes(name)
    for seconds in (-1_000_000, 0, 1, 2_147_483_648, 4_294_967_300):
        path = folder / f"at{seconds}"
        path.write_bytes(b"old")
        os.utime(path, ns=(seconds * 10**9 + 1, seconds * 10**9 + 123_456_789))
    os.symlink("dated", folder / "link")
    os.utime(folder / "link", (1, 1_000_000_000), follow_symlinks=False)


def make_tree(top):
    began = time.time_ns() - 10**9
    top.mkdir()
    copy_of_the_machine(top, scaled(FILES, 300))
    for kind in (nodes, modes, links, extended, names_and_times):
        kind(top / kind.__name__)
    sparse(top / "sparse")
    (top / "large").write_bytes(os.urandom(3 << 20))
    (top / "empty").mkdir()
    # Last, what making them changed; and no time is of now: rsync leaves alone what differs by less than a second.
    for folder, _, files in os.walk(os.fsencode(top), topdown=False):
        for path in [*(os.path.join(folder, name) for name in files), folder]:
            if began <= os.lstat(path).st_mtime_ns <= time.time_ns():
                os.utime(path, ns=(10**18, 10**18 + len(path)), follow_symlinks=False)


def walk(top):
    """Path below top -> all that stat(2), readlink(2) and listxattr(2) tell, hard links as the set of their names."""
    found, names = {}, {}
    for folder, folders, files in os.walk(os.fsencode(top)):
        for name in [b"", *folders, *files]:
            path = os.path.join(folder, name) if name else folder
            about = os.lstat(path)
            kind = stat.S_IFMT(about.st_mode)
            relative = os.path.relpath(path, os.fsencode(top))
            names.setdefault(about.st_ino, set()).add(relative)
            found[relative] = {
                "mode": oct(about.st_mode), "owner": (about.st_uid, about.st_gid), "mtime": about.st_mtime_ns,
                "size": None if kind == stat.S_IFDIR else about.st_size,
                "device": about.st_rdev if kind in (stat.S_IFCHR, stat.S_IFBLK) else None,
                "target": os.readlink(path) if kind == stat.S_IFLNK else None, "inode": about.st_ino,
                "links": None if kind == stat.S_IFDIR else about.st_nlink,
                "xattrs": {each: os.getxattr(path, each, follow_symlinks=False)
                           for each in os.listxattr(path, follow_symlinks=False)}}
    for about in found.values():
        about["inode"] = sorted(names[about["inode"]])
    return found


def allocated(path):
    return os.stat(path).st_blocks * 512


class CopiesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(8192))
        cls.native = cls.disk.point / "tree"
        make_tree(cls.native)

    def expect_same_tree(self, one, other, but=()):
        ours, theirs = walk(one), walk(other)
        self.assertEqual(sorted(ours), sorted(theirs))
        for path, about in ours.items():
            for tree in (about, theirs[path]):
                for word in but:
                    tree.pop(word)
            self.assertEqual(about, theirs[path], path)
        for path in ours:
            first, second = (os.path.join(os.fsencode(top), path) for top in (one, other))
            if stat.S_ISREG(os.lstat(first).st_mode):
                self.assertTrue(filecmp.cmp(first, second, shallow=False), path)

    def expect_same_dumps(self, one, other):
        """As getfacl and getfattr print them."""
        for command in ("getfacl -R -P -n . | sort", "getfattr -R -P -h -d -m - --absolute-names -e hex . | sort"):
            first, second = (call("sh", "-c", command, cwd=top) for top in (one, other))
            self.assertNotEqual(first, b"")
            self.assertEqual(first, second, command)

    def rsync(self, source, target, *options):
        return call("rsync", "-aHAXS", "--numeric-ids", *options, f"{source}/", f"{target}/")

    def expect_rsync_finds_nothing(self, one, other):
        for source, target in ((one, other), (other, one)):
            self.assertEqual(self.rsync(source, target, "-n", "--itemize-changes", "--checksum", "--delete"), b"")

    def test_rsync(self):
        for mode in (MODES[0], MODES[3]):
            with self.subTest(mode=mode.name), posix_mount(self.disk, mode) as mount:
                native, inside, back = self.native, mount.point / "tree", mount.reference / "back"
                self.rsync(native, inside)
                self.expect_rsync_finds_nothing(native, inside)
                self.expect_same_tree(native, inside)
                self.expect_same_dumps(native, inside)
                self.assertLess(allocated(inside / "sparse"), HOLE // 16)
                mount.remount()
                self.rsync(inside, back)
                self.expect_rsync_finds_nothing(inside, back)
                self.expect_same_tree(native, back)
                self.expect_same_dumps(native, back)
                # In place, over what is there already, with other content.
                (inside / "large").write_bytes(os.urandom(3 << 20))
                self.rsync(native, inside, "--inplace", "--no-whole-file", "--no-sparse", "--checksum")
                self.expect_same_tree(native, inside)

    def tar(self, *options):
        return call("tar", "--acls", "--xattrs", "--xattrs-include=*", "--numeric-owner", "--format=posix", *options)

    def test_tar(self):
        for mode in (MODES[0], MODES[3]):
            with self.subTest(mode=mode.name), posix_mount(self.disk, mode) as mount:
                native, archive = mount.reference / "tree", mount.reference / "tree.tar"
                # tar archives neither sockets nor that two names are of one FIFO.
                self.rsync(self.native, native, "--exclude=/nodes/socket", "--exclude=/links/pipe too")
                self.tar("--sparse", "-C", native, "-cf", archive, ".")
                inside = mount.point / "tree"
                inside.mkdir()
                self.tar("--sparse", "-C", inside, "-xpf", archive)
                self.assertEqual(self.tar("-C", inside, "--compare", "-f", archive), b"")
                self.expect_same_tree(native, inside)
                self.assertLess(allocated(inside / "sparse"), HOLE // 16)

                # Out of the mount: holes are found, and the archive gives the same tree.
                second, back = mount.point / "second.tar", mount.reference / "back"
                self.tar("--sparse", "-C", inside, "-cf", second, ".")
                self.assertLess(second.stat().st_size, archive.stat().st_size + (1 << 20))
                back.mkdir()
                self.tar("--sparse", "-C", back, "-xpf", second)
                self.assertEqual(self.tar("-C", back, "--compare", "-f", second), b"")
                self.expect_same_tree(native, back)
                self.assertLess(allocated(back / "sparse"), HOLE // 16)


if __name__ == "__main__":
    unittest.main()
