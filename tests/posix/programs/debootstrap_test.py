"""A Debian in the mount: debootstrap of this machine's own suite, from where its own apt has it, and programs in a
chroot into it. Only scripts/nightly runs it (ctest -C nightly), since it takes minutes.
"""

import os
import subprocess
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk

LIMIT_S = 3000
ENVIRONMENT = {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def archive_and_suite():
    """From apt's own index, as scripts/install-rocksdb-tsan finds them."""
    listed = subprocess.run(["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)|$(CODENAME)",
                             "Created-By: Packages"], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        origin, label, archive, suite = line.split("|")
        if (origin, label) == ("Debian", "Debian"):
            return archive, suite
    raise AssertionError("no Debian archive is known to apt: run 'apt-get update'")


class DebootstrapTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(8192))

    def inside(self, mount, *command):
        return mount.run("chroot", mount.point / "root", *command, environment=ENVIRONMENT, timeout=LIMIT_S)

    def test_a_debian_is_set_up_and_runs(self):
        archive, suite = archive_and_suite()
        with posix_mount(self.disk, MODES[0]) as mount:
            root = mount.point / "root"
            mount.run("debootstrap", "--variant=minbase", f"--keyring={KEYRING}", suite, root, archive,
                      environment=ENVIRONMENT, timeout=LIMIT_S)
            mount.remount()
            self.assertEqual(self.inside(mount, "dpkg", "--audit").stdout, "")
            # Every file of every package has the digest that its package tells.
            self.assertEqual(self.inside(mount, "dpkg", "--verify").stdout, "")
            self.inside(mount, "apt-get", "check")
            self.assertEqual(self.inside(mount, "perl", "-e", "print join ',', map { $_ * 2 } 1..3").stdout, "2,4,6")
            self.assertEqual(self.inside(mount, "sh", "-c", "echo text > /dev/null; stat -c %a:%U /bin/su; ldconfig; "
                                         "setpriv --reuid=nobody --clear-groups id -un").stdout, "4755:root\nnobody\n")
            self.inside(mount, "sh", "-c", "useradd -m potter && su potter -c 'umask 027; echo clay > ~/jar' && "
                        "userdel -r potter")
            self.assertEqual(list((root / "home").iterdir()), [])
            # What dpkg replaces, it replaces by rename over files that run.
            self.inside(mount, "sh", "-c",
                        "cd /var/cache/apt/archives && dpkg -i --force-all dash_*.deb perl-base_*.deb")
            self.assertEqual(self.inside(mount, "dpkg", "--audit").stdout, "")


if __name__ == "__main__":
    unittest.main()
