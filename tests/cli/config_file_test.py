"""`serve --config`: the example file is whole and true, --check-config judges a file and starts nothing."""

import os
import re
import subprocess
import tempfile
import tomllib
import unittest
from pathlib import Path

from amphora_store import BINARY, Store

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/amphora.toml"


def amphora(*arguments, **variables):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AMPHORA_")}
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env=clean | variables, check=False)


def keys_of(table, prefix=""):
    for name, value in table.items():
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}{name}.")
        else:
            yield prefix + name


class ConfigFileTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)

    def write(self, text):
        path = self.directory / "amphora.toml"
        path.write_text(text)
        return path

    def check(self, text, *arguments, **variables):
        return amphora("serve", "--check-config", "--config", self.write(text), *arguments, **variables)

    def test_the_example_serves_as_it_is(self):
        with Store(["--config", str(EXAMPLE)]) as store:
            self.assertEqual(store.json("status")["s3"]["region"], "us-east-1")
            self.assertEqual(store.json("status")["s3"]["auth"], "open")

    def test_the_example_explains_every_key_and_its_defaults_are_the_programs(self):
        whole = re.sub(r"^#  ", "", EXAMPLE.read_text(), flags=re.M)
        told = re.findall(r"; (AMPHORA_[A-Z0-9_]+), ([a-z0-9_.]+)",
                          re.sub(r"\s+", " ", amphora("serve", "--help").stdout))
        self.assertGreater(len(told), 10)
        self.assertEqual(sorted(keys_of(tomllib.loads(whole))), sorted(key for _, key in told))
        for variable, _ in told:
            self.assertIn(variable, whole)
        result = self.check(whole)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(str(self.directory / "amphora.toml"), result.stdout)

    def test_check_config_names_file_line_and_key(self):
        cases = {
            "data = '/x'\n[s3]\nlissten = '127.0.0.1:0'\n": "line 3: unknown key 's3.lissten'",
            "\n[s3]\nlisten = 'nowhere'\n": "line 3: s3.listen must be HOST:PORT",
            "[s3]\nthreads = 1000\n": "line 2: s3.threads must be a number from 0 to 256",
            "[s3]\nauth = 'open'\nlisten = '0.0.0.0:1'\n": "line 3: s3.listen: 0.0.0.0:1: without keys",
            "[log]\nlevel = 3\n": "line 2: log.level must be debug",
            "[log\n": "line 1",
        }
        for text, wanted in cases.items():
            with self.subTest(wanted):
                result = self.check(text)
                self.assertEqual(result.returncode, 2)
                self.assertIn(f"{self.directory}/amphora.toml {wanted}", result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1)

    def test_check_config_starts_nothing(self):
        data = self.directory / "data"
        result = self.check(f"data = '{data}'\nsocket = '{self.directory}/x.sock'\n")
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        self.assertFalse(data.exists())

    def test_check_config_judges_flags_and_environment_too(self):
        result = self.check("", "--s3", "0.0.0.0:1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--s3: 0.0.0.0:1", result.stderr)
        result = self.check("", AMPHORA_S3="0.0.0.0:1")
        self.assertEqual(result.returncode, 2)
        self.assertIn("AMPHORA_S3: 0.0.0.0:1", result.stderr)
        self.assertEqual(self.check("[s3]\nlisten = '0.0.0.0:1'\n", "--auth", "keys").returncode, 0)

    def test_serve_refuses_what_check_config_refuses_and_makes_nothing(self):
        data = self.directory / "data"
        path = self.write(f"data = '{data}'\n[s3]\nlisten = '0.0.0.0:1'\n")
        result = amphora("serve", "--config", path)
        self.assertEqual(result.returncode, 2)
        self.assertIn("line 3: s3.listen", result.stderr)
        self.assertFalse(data.exists())


if __name__ == "__main__":
    unittest.main()
