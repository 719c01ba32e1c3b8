"""Every command that README and examples/ show is run, as it stands, on a store of the test's own.

The endpoint's port, the home directory and the program's place are the only things that the test changes:
a free port, a fresh home, and the program that this build made (quickstart's own build is tried by hand in
a clean root, docs/acceptance.md).
"""

import os
import re
import subprocess
import unittest
from pathlib import Path

from amphora_store import BINARY, Store

ROOT = Path(__file__).resolve().parents[2]
VENV = Path(os.environ.get("AMPHORA_VENV", ROOT / "build/venv"))
SET_UP = ["scripts/quickstart", "scripts/test"]  # run by a person and by CI; not from inside of themselves


def commands(path):
    """The lines of every ```sh block."""
    blocks = re.findall(r"^```sh\n(.*?)^```", path.read_text(), re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


class ReadmeTest(unittest.TestCase):
    def run_line(self, store, line):
        line = line.replace("http://127.0.0.1:9878", store.url).replace("build/release/amphora", BINARY)
        environment = store.environ({"HOME": str(store.directory), "AMPHORA_SOCKET": str(store.socket),
                                     "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"})
        result = subprocess.run(["bash", "-c", line], cwd=ROOT, env=environment, capture_output=True,
                                text=True, timeout=120, check=False)
        self.assertEqual(result.returncode, 0, f"{line}\n{result.stdout}{result.stderr}")
        return result.stdout

    def store(self):
        """What quickstart leaves: a bucket `demo`, mounted at ~/amphora."""
        store = Store()
        self.addCleanup(store.close)
        store.run("bucket", "create", "/s3v/demo")
        store.mount("/s3v/demo", name="amphora")
        return store

    def test_the_two_set_up_commands_come_first(self):
        self.assertEqual(commands(ROOT / "README.md")[:2], SET_UP)

    def test_the_readme_fits_one_screen_and_names_every_folder(self):
        text = (ROOT / "README.md").read_text()
        self.assertLessEqual(len(text.splitlines()), 50)
        for link in re.findall(r"\]\(([^)#]+)\)", text):
            self.assertTrue((ROOT / link).exists(), link)

    def test_the_readmes_commands_work(self):
        store = self.store()
        lines = [line for line in commands(ROOT / "README.md") if line not in SET_UP]
        self.assertEqual(len(lines), 3)
        output = [self.run_line(store, line) for line in lines]
        self.assertEqual(output[0], "hello\n")
        self.assertIn("architecture.md", output[1])
        self.assertIn(store.url, output[2])
        self.run_line(store, "build/release/amphora stop")

    def test_the_examples_work(self):
        store = self.store()
        lines = commands(ROOT / "examples/README.md")
        self.assertEqual(len(lines), 2)
        output = [self.run_line(store, line) for line in lines]
        self.assertIn("written by cat, read by curl\nwritten by curl, read by cat\n", output[0])
        self.assertIn("<Key>archive/one.txt</Key>", output[0])
        self.assertIn("photos/2026/2.raw 1000000 1000000", output[1])


class QuickstartTest(unittest.TestCase):
    @unittest.skipUnless((ROOT / "build/release/build.ninja").exists(), "preset release is not configured")
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
