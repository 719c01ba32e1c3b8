"""Every command that README and examples/ show is run, as it stands, on a store of the test's own.

The endpoint's port, the home directory and the program's place are the only things that the test changes:
a free port, a fresh home, and the program that this build made (quickstart itself: quickstart_test.py, run by
hand).
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


if __name__ == "__main__":
    unittest.main()
