"""Mount options, mount(8) and fstab(5), two mounts at once. Root only: runs in a mount namespace of its own,
with the helper of mount(8) in place."""

import errno
import os
import stat
import subprocess
import tempfile
import unittest
from pathlib import Path

import own_mounts
from amphora_store import BINARY, Store, is_mounted

PLAIN_UID = 65534
HELPER = Path("/usr/sbin/mount.fuse.amphora")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("options of mount(8) need root")
    own_mounts.enter()
    scratch = Path(tempfile.mkdtemp(prefix="amphora-test-sbin-"))
    unittest.addModuleCleanup(scratch.rmdir)
    unittest.addModuleCleanup(subprocess.run, ["umount", "-l", str(scratch)], check=True)
    own_mounts.make_writable(HELPER.parent, scratch)
    unittest.addModuleCleanup(subprocess.run, ["umount", "-l", str(HELPER.parent)], check=True)
    if not HELPER.exists():
        HELPER.symlink_to(os.path.realpath(BINARY))


def as_user(script, *arguments, uid=PLAIN_UID):
    """Runs Python as a plain user; answers its exit code, or the errno that it met."""
    guarded = (f"import os,sys\ntry:\n  {script}\nexcept OSError as error:\n  sys.exit(error.errno)")
    return subprocess.run(["python3", "-c", guarded, *map(str, arguments)], user=uid, group=uid, extra_groups=[],
                          check=False).returncode


class MountOptionsTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store())
        self.store.directory.chmod(0o755)
        self.store.run("bucket", "create", "/s3v/demo")

    def assert_errno(self, number, work, *arguments):
        with self.assertRaises(OSError) as caught:
            work(*arguments)
        self.assertEqual(caught.exception.errno, number)

    def mount(self, options=None, name="mnt", source="/s3v/demo"):
        return self.store.mount(source, options=options, name=name)

    def test_ro(self):
        self.store.s3.put("/demo/key", b"bytes")
        point = self.mount("ro")
        self.assertEqual((point / "key").read_bytes(), b"bytes")
        for work in (lambda: (point / "new").write_text("x"), lambda: (point / "key").unlink(),
                     lambda: (point / "key").chmod(0o600), lambda: os.setxattr(point / "key", "user.a", b"x"),
                     lambda: open(point / "key", "r+b")):
            self.assert_errno(errno.EROFS, work)

    def test_noexec_nosuid_nodev_and_their_opposites(self):
        for options, works in (("noexec,nosuid,nodev", False), ("exec,suid,dev", True)):
            point = self.mount(options, name=options.replace(",", "-"))
            program = point / "program"
            program.write_bytes(Path("/usr/bin/id").read_bytes())
            program.chmod(0o4755)
            os.chown(program, 12, 12)
            program.chmod(0o4755)
            if works:
                answer = subprocess.run([program, "-u"], user=PLAIN_UID, group=PLAIN_UID, capture_output=True,
                                        text=True, check=True)
                self.assertEqual(answer.stdout, "12\n")
            else:
                self.assert_errno(errno.EACCES, subprocess.run, [program])
            program.unlink()
            os.mknod(point / "null", stat.S_IFCHR | 0o666, os.makedev(1, 3))
            if works:
                with open(point / "null", "wb", buffering=0) as null:
                    self.assertEqual(null.write(b"gone"), 4)
            else:
                self.assert_errno(errno.EACCES, open, point / "null", "wb")
            (point / "null").unlink()

    def test_nosuid_lets_nobody_change_identity(self):
        point = self.mount("nosuid")
        program = point / "program"
        program.write_bytes(Path("/usr/bin/id").read_bytes())
        os.chown(program, 12, 12)
        program.chmod(0o4755)
        answer = subprocess.run([program, "-u"], user=PLAIN_UID, group=PLAIN_UID, capture_output=True, text=True,
                                check=True)
        self.assertEqual(answer.stdout, f"{PLAIN_UID}\n")

    def test_uid_gid_and_umask(self):
        plain = self.mount(name="plain")
        squashed = self.mount(f"uid={PLAIN_UID},gid=77,umask=027", name="squashed")
        (plain / "old").write_text("x")
        (plain / "old").chmod(0o666)
        shown = (squashed / "old").stat()
        self.assertEqual((shown.st_uid, shown.st_gid, stat.S_IMODE(shown.st_mode)), (PLAIN_UID, 77, 0o640))
        self.assertEqual(stat.S_IMODE((plain / "old").stat().st_mode), 0o666)
        os.umask(0)
        self.addCleanup(os.umask, 0o022)
        (squashed / "new").write_text("x")
        (squashed / "dir").mkdir()
        os.symlink("new", squashed / "link")
        for name, mode in (("new", 0o640), ("dir", 0o750)):
            for point in (plain, squashed):
                made = (point / name).stat()
                self.assertEqual((made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)), (PLAIN_UID, 77, mode))
        self.assertEqual((plain / "link").lstat().st_uid, PLAIN_UID)
        with os.scandir(squashed) as entries:
            self.assertEqual({entry.stat(follow_symlinks=False).st_uid for entry in entries}, {PLAIN_UID})
        # To give a file to whom it is shown to belong is no change, to somebody else refused.
        os.chown(squashed / "old", PLAIN_UID, 77)
        self.assertEqual((plain / "old").stat().st_uid, 0)
        self.assert_errno(errno.EPERM, os.chown, squashed / "old", 5, -1)
        # The kernel decides by what is shown: the plain user owns it here, and not there.
        self.assertEqual(as_user("os.chmod(sys.argv[1], 0o600)", squashed / "new"), 0)
        self.assertEqual(as_user("open(sys.argv[1])", plain / "new"), 0)
        self.assertEqual(as_user("os.chmod(sys.argv[1], 0o600)", plain / "old"), errno.EPERM)

    def test_permissions_are_always_checked(self):
        point = self.mount("allow_other")
        (point / "secret").write_text("x")
        (point / "secret").chmod(0o600)
        self.assertEqual(as_user("open(sys.argv[1])", point / "secret"), errno.EACCES)
        self.assertEqual(as_user("os.listdir(sys.argv[1])", point), 0)
        other = self.mount("noallow_other", name="other")
        self.assertEqual(as_user("os.listdir(sys.argv[1])", other), errno.EACCES)

    def test_an_unknown_option_is_named(self):
        point = self.store.directory / "nowhere"
        point.mkdir()
        for word in ("bogus", "uid=x", "uid=4294967295", "umask=8", "umask=1777", "locks=some", "strictatime"):
            result = self.store.run("mount", "/s3v/demo", point, "-o", f"ro,{word},noexec", check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn(f"'{word}'", result.stderr)
            result = subprocess.run(["mount", "-t", "fuse.amphora", "/s3v/demo", point, "-o",
                                     f"socket={self.store.socket},{word}"], capture_output=True, text=True, check=False)
            self.assertNotEqual(result.returncode, 0)
            self.assertIn(f"'{word}'", result.stderr)
        self.assertFalse(is_mounted(point))

    def test_mount_and_umount_programs(self):
        point = self.store.directory / "mnt"
        point.mkdir()
        subprocess.run(["mount", "-t", "fuse.amphora", "/s3v/demo", point, "-o",
                        f"noexec,socket={self.store.socket}"], check=True)
        (point / "file").write_text("by mount(8)")
        self.assertEqual(self.store.s3.get("/demo/file").body, b"by mount(8)")
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            line = next(line for line in mounts if str(point) in line)
        self.assertRegex(line, r"^amphora:/s3v/demo \S+ fuse\.amphora \S*noexec\S*")
        busy = open(point / "file", encoding="utf-8")
        self.assertNotEqual(subprocess.run(["umount", point], capture_output=True, check=False).returncode, 0)
        busy.close()
        subprocess.run(["umount", point], check=True)
        self.assertEqual(os.listdir(point), [])
        # Again, at once.
        subprocess.run(["mount", "-t", "fuse.amphora", "amphora:/s3v", point, "-o", f"ro,socket={self.store.socket}"],
                       check=True)
        self.assertEqual((point / "demo/file").read_text(), "by mount(8)")
        subprocess.run(["umount", point], check=True)

    def test_a_line_of_fstab(self):
        point, table = self.store.directory / "mnt", self.store.directory / "fstab"
        point.mkdir()
        table.write_text(f"/s3v/demo {point} fuse.amphora noauto,nofail,_netdev,x-systemd.requires=amphora.service,"
                         f"umask=022,socket={self.store.socket} 0 0\n")
        subprocess.run(["mount", "-T", table, point], check=True)
        (point / "file").write_text("by fstab")
        self.assertEqual(self.store.s3.get("/demo/file").body, b"by fstab")
        subprocess.run(["umount", point], check=True)

    def test_mount_again_after_the_daemon_crashed(self):
        point = self.mount("noexec")
        (point / "file").write_text("before")
        self.store.kill()
        with self.assertRaises(OSError) as caught:
            os.listdir(point)
        self.assertIn(caught.exception.errno, (errno.ENOTCONN, errno.ECONNABORTED, errno.ECANCELED))
        self.store.start()
        subprocess.run(["mount", "-t", "fuse.amphora", "/s3v/demo", point, "-o", f"socket={self.store.socket}"],
                       check=True)
        self.assertEqual((point / "file").read_text(), "before")
        (point / "file").write_text("after")
        self.assertEqual(self.store.s3.get("/demo/file").body, b"after")

    def test_two_mounts_of_a_bucket_and_one_of_the_whole_store(self):
        one, two = self.mount(name="one"), self.mount("nopassthrough", name="two")
        whole = self.mount(name="whole", source="/") / "s3v/demo"
        points = (one, two, whole)
        for number, writer in enumerate(points):
            name = f"file-{number}"
            (writer / name).write_text(name)
            self.assertEqual(self.store.s3.get(f"/demo/{name}").body.decode(), name)
            # A fence of S3's answers is one of all mounts.
            self.assertTrue(self.store.s3.put("/demo/fence", name.encode()).ok)
            for reader in points:
                self.assertEqual((reader / name).read_text(), name)
                self.assertEqual((reader / "fence").read_text(), name)
        os.rename(one / "file-0", one / "moved")
        self.assertTrue(self.store.s3.put("/demo/fence", b"x").ok)
        for reader in points:
            self.assertEqual(sorted(os.listdir(reader)), ["fence", "file-1", "file-2", "moved"])
        large = os.urandom(3 << 20)
        (two / "large").write_bytes(large)
        self.assertTrue(self.store.s3.put("/demo/fence", b"y").ok)
        for reader in points:
            self.assertEqual((reader / "large").read_bytes(), large)


if __name__ == "__main__":
    unittest.main()
