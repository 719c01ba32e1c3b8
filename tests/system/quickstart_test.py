"""scripts/quickstart on a home and a store of the test's own: it starts, mounts, and a second run changes
nothing. The test command has built preset release before; by itself this test builds it.
"""

import os
import re
import subprocess
import unittest
from pathlib import Path

from amphora_store import Store

ROOT = Path(__file__).resolve().parents[2]


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


if __name__ == "__main__":
    unittest.main()
