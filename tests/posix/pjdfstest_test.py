"""pjdfstest on the mount: no failure in any of the four modes as root, and none as a user who is not root.

Each skip is in pjdfstest-skips with its reason. What the suite leaves out for other users because it needs root says so
itself. Cases about read-only file systems remount the mount; the suite leaves a file open for writing, even on ext4,
after which nothing can be remounted read-only, so they run by themselves.
"""

import os
import re
import tempfile
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from user_store import open_fuse_to_everybody

HERE = Path(__file__).resolve().parent
PJDFSTEST = Path(os.environ["AMPHORA_TOOLS"]) / "pjdfstest"
CASES = 398  # of version 0.2.2
REMOUNTING = "erofs"
NEEDS_ROOT = "requires root privileges"


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")
    unittest.addModuleCleanup(open_fuse_to_everybody())


def expected_skips(user):
    """The cases that the file names for this kind of user."""
    names = set()
    for line in (HERE / "pjdfstest-skips").read_text().splitlines():
        if line and not line.startswith("#"):
            modes, name, _ = re.fullmatch(r"(root|user|all) (\S+)  (.+)", line).groups()
            if modes in ("all", user):
                names.add(name)
    return names


def parse(output):
    """{case: (outcome, the lines behind it)}."""
    cases, name = {}, None
    for line in re.sub(r"\x1b\[[0-9;]*m", "", output).splitlines():
        if found := re.fullmatch(r"(\w[\w:]+)\s+(ok|skipped|FAILED)", line):
            name = found[1]
            cases[name] = (found[2], [])
        elif name and line.strip():
            cases[name][1].append(line.strip())
    return cases


class PjdfstestTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk())
        cls.scratch = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="amphora-test-")))
        os.chmod(cls.scratch, 0o755)
        # The suite remounts by mount(8), which would ask for a helper of ours that is not installed here.
        wrapper = cls.scratch / "mount"
        wrapper.write_text('#!/bin/sh\nexec /usr/bin/mount -i "$@"\n')
        wrapper.chmod(0o755)
        # A copy, since another user may not see this checkout.
        cls.program = cls.scratch / "pjdfstest"
        cls.program.write_bytes(PJDFSTEST.read_bytes())
        cls.program.chmod(0o755)

    def suite(self, mount, *patterns, remount):
        configuration = self.scratch / f"remount-{remount}.toml"
        configuration.write_text((HERE / "pjdfstest.toml").read_text().replace("REMOUNT", remount))
        configuration.chmod(0o644)
        result = mount.run(self.program, "-c", configuration, "-p", mount.point, "-s", mount.reference, *patterns,
                           check=False, environment={"PATH": f"{self.scratch}:{os.environ['PATH']}",
                                                     "RUST_BACKTRACE": "0"})
        cases = parse(result.stdout)
        failed = {name: lines for name, (outcome, lines) in cases.items() if outcome == "FAILED"}
        self.assertEqual((failed, result.returncode), ({}, 0), result.stdout[-4000:])
        return cases

    def check_as_root(self, mode):
        with posix_mount(self.disk, mode) as mount:
            cases = self.suite(mount, remount="false")
            self.assertEqual(len(cases), CASES)
            remounting = {name for name in cases if REMOUNTING in name}
            skipped = {name for name, (outcome, _) in cases.items() if outcome == "skipped"}
            self.assertEqual(skipped - remounting, expected_skips("root"))
        with posix_mount(self.disk, mode) as mount:
            cases = self.suite(mount, REMOUNTING, remount="true")
            self.assertEqual({name: outcome for name, (outcome, _) in cases.items()},
                             dict.fromkeys(remounting, "ok"))

    def test_passthrough_and_io_uring(self):
        self.check_as_root(MODES[0])

    def test_passthrough_only(self):
        self.check_as_root(MODES[1])

    def test_io_uring_only(self):
        self.check_as_root(MODES[2])

    def test_neither(self):
        self.check_as_root(MODES[3])

    def test_another_user(self):
        with posix_mount(self.disk) as mount:
            cases = self.suite(mount, remount="false")
        skipped = {name for name, (outcome, lines) in cases.items()
                   if outcome == "skipped" and NEEDS_ROOT not in lines}
        self.assertEqual(skipped, expected_skips("user"))
        passed = sum(outcome == "ok" for outcome, _ in cases.values())
        self.assertGreater(passed, CASES // 2)


if __name__ == "__main__":
    unittest.main()
