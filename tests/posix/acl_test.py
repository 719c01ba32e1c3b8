"""POSIX access control lists on the mount as on XFS: every case is done on both and must answer alike, by setfacl and
getfacl and by what other users may do then."""

import contextlib
import os
import subprocess
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk

OWNER, NAMED, STRANGER = 1001, 1002, 1003
GROUP = 2000  # a supplementary group of NAMED and OWNER


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def shell(folder, script, user=0, groups=()):
    """(exit code, output) of a script in `folder`, without the folder's name."""
    result = subprocess.run(["sh", "-c", script], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True, timeout=60, check=False, user=user, group=user, extra_groups=list(groups))
    # Listings come in either file system's own order.
    blocks = sorted(result.stdout.replace(str(folder), "").split("\n\n"))
    return result.returncode, "\n\n".join(blocks)


class AclTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        disk = cls.enterClassContext(PowerDisk(4096))
        cls.mount = cls.enterClassContext(posix_mount(disk, MODES[0]))

    @contextlib.contextmanager
    def both(self):
        """Folders of this case on the mount and on XFS."""
        folders = [top / self._testMethodName for top in (self.mount.point, self.mount.reference)]
        for folder in folders:
            folder.mkdir()
            os.chown(folder, OWNER, OWNER)
            os.chmod(folder, 0o777)
        yield folders

    def alike(self, folders, script, **who):
        answers = [shell(folder, script, **who) for folder in folders]
        self.assertEqual(answers[0], answers[1], script)
        return answers[1]

    def test_lists_show_as_set_and_move_the_mode(self):
        with self.both() as folders:
            self.alike(folders, "echo text > f; mkdir d; chmod 640 f")
            for entries in (f"u:{NAMED}:rwx", f"g:{GROUP}:rw", "m::r", f"u:{STRANGER}:---,o::rx", "g::-"):
                code, _ = self.alike(folders, f"setfacl -m {entries} f d && getfacl -n f d && stat -c %a f d")
                self.assertEqual(code, 0)
            self.alike(folders, f"setfacl -x u:{NAMED} f && getfacl -n f && stat -c %a f")
            self.alike(folders, "chmod 751 f d && getfacl -n f d && stat -c %a f d")
            self.alike(folders, "chmod g= f && getfacl -n f && chmod 777 f && getfacl -n f")
            self.alike(folders, "setfacl -b f && getfacl -n f && stat -c %a f && getfattr -d -m - f")

    def test_defaults_are_inherited_and_the_umask_is_not_asked(self):
        with self.both() as folders:
            entries = f"u::rwx,u:{NAMED}:rwx,g::rx,g:{GROUP}:rw,o::-"
            self.alike(folders, f"mkdir d && setfacl -d -m {entries} d && getfacl -n d")
            for umask in ("000", "022", "077"):
                _, shown = self.alike(folders, f"umask {umask}; mkdir -p d/{umask}/deep; echo x > d/{umask}/deep/file; "
                                               f"mkfifo -m 644 d/{umask}/fifo; getfacl -n -R d/{umask}; "
                                               f"find d/{umask} -printf '\\n\\n%p %m %U %G'")
                self.assertIn(f"user:{NAMED}:rwx", shown)
            self.alike(folders, "ln -s nowhere d/link; cp -a d copy; getfacl -n -R copy; setfacl -k d; getfacl -n d; "
                                "umask 027; touch d/plain; getfacl -n d/plain")

    def test_decisions(self):
        users = ((OWNER, ()), (NAMED, ()), (NAMED, (GROUP,)), (STRANGER, ()), (STRANGER, (GROUP,)))
        with self.both() as folders:
            self.alike(folders, "echo text > f; mkdir d; echo x > d/inside; chmod 640 f; chmod 700 d; "
                                f"chown {OWNER}:{OWNER} f d d/inside")
            for entries in (f"u:{NAMED}:r", f"g:{GROUP}:rw", "m::r", "m::rwx", f"u:{NAMED}:-", f"u:{OWNER}:-",
                            "o::rwx"):
                self.alike(folders, f"setfacl -m {entries} f d")
                for user, groups in users:
                    self.alike(folders, "cat f; echo more >> f; ls d; cat d/inside; touch d/new; rm -f d/new",
                               user=user, groups=groups)
            self.alike(folders, "cat f; getfacl -n f d")

    def test_only_the_owner_sets_lists_and_setgid_needs_the_group(self):
        with self.both() as folders:
            self.alike(folders, f"echo x > f; chown {OWNER}:{GROUP} f; chmod 2775 f; cp -p f g; chmod 666 f")
            self.alike(folders, f"setfacl -m u:{NAMED}:rwx f", user=NAMED)
            self.alike(folders, f"chmod 2775 f; setfacl -m u:{NAMED}:rwx f; stat -c %a f", user=OWNER, groups=[GROUP])
            self.alike(folders, f"setfacl -m u:{NAMED}:rx f; stat -c %a f", user=OWNER)
            self.alike(folders, f"setfacl -m u:{NAMED}:rx g; stat -c %a g")

    def test_wrong_lists(self):
        with self.both() as folders:
            self.alike(folders, "echo x > f; ln -s f l; mkdir d")
            for script in ("setfacl -d -m u:1:r f", "setfacl -m u:1:r l", "setfacl -m u:1:q f", "setfacl -m m::r f",
                           "setfattr -n system.posix_acl_access -v 0x0200 f",
                           "setfattr -n system.posix_acl_access -v 0x02000000010007ffffffffff f",
                           "setfattr -x system.posix_acl_access f", "setfattr -x system.posix_acl_default d",
                           "setfattr -h -n system.posix_acl_access -v 0x02000000 l",
                           "getfattr -n system.posix_acl_access f", "getfattr -n system.posix_acl_default d"):
                self.alike(folders, script + "; getfacl -n f d")

    def test_archives_keep_them(self):
        with self.both() as folders:
            self.alike(folders, f"mkdir -p d/e; echo x > d/e/f; setfacl -R -m u:{NAMED}:rwX,d:u:{NAMED}:rw d; "
                                "tar --acls --xattrs -cf t.tar d; mkdir out; tar --acls --xattrs -xpf t.tar -C out; "
                                "getfacl -n -R out; getfacl -R d > saved; setfacl -R -b d; setfacl --restore=saved; "
                                "getfacl -n -R d")


if __name__ == "__main__":
    unittest.main()
