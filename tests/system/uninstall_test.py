"""scripts/uninstall on a home and a checkout of the test's own: it unmounts, stops, removes what was installed, and
keeps the data.
"""

import shutil
import subprocess
import unittest
from pathlib import Path

from amphora_store import BINARY, Store, is_mounted

ROOT = Path(__file__).resolve().parents[2]


class UninstallTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store(start=False))
        self.home, self.root = self.store.directory / "home", self.store.directory / "checkout"
        self.point, self.cache = self.home / "amphora", self.home / ".cache/amphora/libfuse"
        for folder in (self.point, self.cache, self.root / "build/release"):
            folder.mkdir(parents=True)
        shutil.copytree(ROOT / "scripts", self.root / "scripts")
        self.program = Path(shutil.copy(BINARY, self.root / "build/release/amphora"))
        self.store.mount_points.append(self.point)
        self.environment = self.store.environ({
            "HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / ".cache"),
            "AMPHORA_DATA": str(self.store.data), "AMPHORA_SOCKET": str(self.store.socket),
            "AMPHORA_LOG_FILE": str(self.store.log_path), "AMPHORA_CONFIG": ""})

    def uninstall(self, *arguments):
        return subprocess.run([self.root / "scripts/uninstall", *arguments], env=self.environment,
                              capture_output=True, text=True, timeout=120, check=False)

    def assert_removed_and_kept(self, result):
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertFalse(is_mounted(self.point))
        for gone in (self.point, self.cache, self.program):
            self.assertFalse(gone.exists(), gone)
        self.assertIn(f"kept     {self.store.data}\n", result.stdout)
        self.assertIn(f"the data are in {self.store.data};", result.stdout)
        self.assertTrue((self.root / "scripts/uninstall").exists())

    def test_a_running_daemon_is_stopped_and_the_data_stay(self):
        self.store.start()
        self.store.run("bucket", "create", "/s3v/demo")
        self.store.run("mount", "/s3v/demo", self.point)
        (self.point / "file").write_bytes(b"bytes")
        result = self.uninstall()
        self.assertEqual(self.store.wait(), 0)
        self.assert_removed_and_kept(result)
        again = self.uninstall()
        self.assertEqual(again.returncode, 0, again.stderr)
        self.store.start()
        self.assertEqual(self.store.s3.get("/demo/file").body, b"bytes")

    def test_the_mount_of_a_killed_daemon_is_cleaned_up(self):
        self.store.start()
        self.store.run("bucket", "create", "/s3v/demo")
        self.store.run("mount", "/s3v/demo", self.point)
        self.store.kill()
        self.assertTrue(is_mounted(self.point))
        self.assert_removed_and_kept(self.uninstall())

    def test_files_in_the_directory_and_a_mount_of_others_are_left_alone(self):
        (self.point / "mine").write_text("kept")
        result = self.uninstall()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual((self.point / "mine").read_text(), "kept")
        self.assertIn(f"kept     {self.point} (not empty)", result.stdout)

    def test_wrong_use_changes_nothing(self):
        self.assertEqual(self.uninstall("--frob").returncode, 2)
        self.assertEqual(self.uninstall("a", "b").returncode, 2)
        self.assertIn("Example:", self.uninstall("--help").stdout)
        self.assertTrue(self.program.exists() and self.cache.exists())


if __name__ == "__main__":
    unittest.main()
