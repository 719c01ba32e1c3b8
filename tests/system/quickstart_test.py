"""What users get: scripts/quickstart on a home and a store of the test's own starts, mounts, and a second run
changes nothing; the program that it builds has no failpoints. The test command has built preset release before; by
itself this test builds it.
"""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

from amphora_store import BINARY, StartFailed, Store

ROOT = Path(__file__).resolve().parents[2]
RELEASE = ROOT / "build/release/amphora"


def failpoints_of_the_source():
    """Every name that a source file gives a failpoint."""
    names = set()
    for layer in ("meta", "fs", "mount", "s3", "cli"):
        for path in (ROOT / layer).rglob("*.cc"):
            names |= set(re.findall(r'(?:Failpoint|FailpointSkips|PauseBeforeReply|before_commit = ?)\(?"([a-z_.]+)"',
                                    path.read_text()))
    return sorted(names)


class QuickstartTest(unittest.TestCase):
    def test_quickstart_starts_mounts_and_a_second_run_changes_nothing(self):
        with Store(start=False) as store:
            home, point = store.directory / "home", store.directory / "home/amphora"
            home.mkdir()
            store.mount_points.append(point)
            environment = store.environ({
                "HOME": str(home), "AMPHORA_DATA": str(store.data), "AMPHORA_SOCKET": str(store.socket),
                "AMPHORA_S3": "127.0.0.1:0", "AMPHORA_LOG_FILE": str(store.log_path),
                "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))})
            first = subprocess.run(["scripts/quickstart"], cwd=ROOT, env=environment, capture_output=True,
                                   text=True, timeout=800, check=False)
            self.assertEqual(first.returncode, 0, first.stdout + first.stderr)
            try:
                before = store.json("status")
                self.assertTrue(os.path.ismount(point))
                second = subprocess.run(["scripts/quickstart"], cwd=ROOT, env=environment,
                                        capture_output=True, text=True, timeout=120, check=True)
                after = store.json("status")
                self.assertEqual(after["pid"], before["pid"])
                self.assertEqual(len(after["mounts"]), 1)
                self.assertEqual(after["counters"]["store_writes"], before["counters"]["store_writes"])
                tries = re.findall(r"^  (.+)$", second.stdout, re.M)
                self.assertEqual(len(tries), 4, second.stdout)
                for line in tries:
                    subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True,
                                   text=True, timeout=120, check=True)
                self.assertEqual(store.run("status", check=False).returncode, 3)
            finally:
                store.run("stop", check=False)


class ReleaseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        built = subprocess.run(["bash", "-c", f"set -e; root='{ROOT}'; . scripts/lib/common.sh; mkdir -p build; "
                                "configure_and_build release amphora"],
                               cwd=ROOT, capture_output=True, text=True, timeout=800, check=False)
        assert built.returncode == 0, built.stdout + built.stderr

    def test_no_failpoint_is_in_what_users_run(self):
        names = failpoints_of_the_source()
        self.assertGreater(len(names), 25)
        tested, released = Path(BINARY).read_bytes(), RELEASE.read_bytes()
        self.assertEqual([name for name in names if name.encode() not in tested], [])
        self.assertEqual([name for name in names if name.encode() in released], [])
        version = subprocess.run([RELEASE, "version", "--json"], capture_output=True, timeout=60, check=True)
        self.assertIs(json.loads(version.stdout)["failpoints"], False)

    def test_who_asks_for_a_failpoint_is_told_that_there_is_none(self):
        with Store(start=False) as store:
            store.binary = str(RELEASE)
            with self.assertRaises(StartFailed) as failed:
                store.start(environment={"AMPHORA_FAILPOINTS": "meta.sync=fail"})
            self.assertEqual(failed.exception.code, 2)
            self.assertIn("AMPHORA_FAILPOINTS: this build has no failpoints", failed.exception.text)
            self.assertFalse(store.data.exists())


if __name__ == "__main__":
    unittest.main()
