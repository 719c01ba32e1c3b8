"""Bad command lines: exit code 2 and one line that names the culprit. No daemon: exit code 3."""

import json
import os
import subprocess
import tempfile
import unittest

from amphora_store import BINARY

COMMANDS = ["serve", "stop", "mount", "umount", "volume", "volume create", "volume list", "volume show",
            "volume delete", "bucket", "bucket create", "bucket list", "bucket show", "bucket delete",
            "s3", "s3 getsecret", "s3 revokesecret", "status", "check", "dump", "gc", "version"]

# Command line -> what the line must name.
WRONG = {
    "": "subcommand",
    "frobnicate": "frobnicate",
    "--frob status": "--frob",
    "status --frob": "--frob",
    "status extra": "extra",
    "bucket": "subcommand",
    "bucket frob": "frob",
    "bucket create": "/VOLUME/BUCKET",
    "bucket create s3v/x": "s3v/x",
    "bucket create /s3v": "/s3v",
    "bucket create /s3v/UPPER": "UPPER",
    "bucket create /s3v/a/b/c": "/s3v/a/b/c",
    "bucket create /s3v/abc extra": "extra",
    "bucket list /s3v/abc": "/s3v/abc",
    "volume create": "/VOLUME",
    "volume create /s3v/abc": "/s3v/abc",
    "volume create /ab": "ab",
    "volume delete /": "'/'",
    "mount": "where",
    "mount a b c": "c",
    "mount relative /tmp": "relative",
    "mount /s3v /tmp -o frob": "frob",
    "mount /s3v /tmp -o ro,frob=3": "frob",
    "umount": "DIR",
    "s3": "subcommand",
    "s3 getsecret --user": "--user",
    "serve --s3 nowhere": "nowhere",
    "serve --s3 127.0.0.1:99999": "127.0.0.1:99999",
    "serve --auth perhaps": "perhaps",
    "serve --inline-limit 1000000": "1000000",
    "serve --data": "--data",
    "serve --s3 127.0.0.1:1 --s3 127.0.0.1:2": "--s3",
    "serve --config /nonexistent.toml": "/nonexistent.toml",
    "status --config /nonexistent.toml": "/nonexistent.toml",
    "version --frob": "--frob",
}

NEED_DAEMON = ["status", "status --json", "stop", "volume list", "volume show /s3v", "volume create /abc",
               "volume delete /abc", "bucket list", "bucket show /s3v/abc", "bucket create /s3v/abc",
               "bucket delete /s3v/abc", "s3 getsecret", "s3 revokesecret", "check", "check --repair",
               "dump", "gc", "mount /tmp", "umount /tmp"]


def amphora(*arguments, **variables):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AMPHORA_")}
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60,
                          env=clean | variables, check=False)


class UsageTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(self.directory.cleanup)
        self.socket = os.path.join(self.directory.name, "none.sock")
        self.data = os.path.join(self.directory.name, "data")

    def run_command(self, line):
        return amphora(*line.split(), AMPHORA_SOCKET=self.socket, AMPHORA_DATA=self.data)

    def test_wrong_command_lines_exit_2_with_one_line_that_names_the_culprit(self):
        for line, culprit in WRONG.items():
            with self.subTest(line):
                result = self.run_command(line)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
                self.assertIn(culprit, result.stderr)
                self.assertEqual(result.stdout, "")
                self.assertFalse(os.path.exists(self.data), "wrong use must change nothing")

    def test_without_a_daemon_exit_3_and_say_how_to_start_one(self):
        for line in NEED_DAEMON:
            with self.subTest(line):
                result = self.run_command(line)
                self.assertEqual(result.returncode, 3, result.stderr)
                self.assertEqual(result.stderr, f"amphora: no daemon answers at {self.socket}; "
                                                "start one with `amphora serve`\n")

    def test_every_help_has_an_example_and_every_command_is_known(self):
        top = amphora("--help").stdout
        for command in COMMANDS:
            with self.subTest(command):
                result = amphora(*command.split(), "--help")
                self.assertEqual(result.returncode, 0)
                self.assertIn("Example:\n  amphora ", result.stdout)
                self.assertIn(command.split()[0], top)

    def test_unknown_key_of_the_config_file_is_named_with_its_line(self):
        path = os.path.join(self.directory.name, "amphora.toml")
        with open(path, "w", encoding="utf-8") as config:
            config.write("data = '/tmp/x'\n[s3]\nlissten = '127.0.0.1:0'\n")
        result = self.run_command(f"serve --config {path}")
        self.assertEqual(result.returncode, 2)
        self.assertEqual(result.stderr, f"amphora: {path} line 3: unknown key 's3.lissten'\n")

    def test_version_needs_no_daemon(self):
        answer = json.loads(amphora("version", "--json").stdout)
        self.assertRegex(answer["version"], r"^\d+\.\d+\.\d+$")
        self.assertEqual(answer["store_format"], 2)
        self.assertIs(answer["failpoints"], True)  # the tests need them
        self.assertIn(answer["version"], amphora("--version").stdout)

    def test_version_of_no_store_fails_and_makes_none(self):
        result = amphora("version", "--data", self.data)
        self.assertEqual(result.returncode, 1)
        self.assertIn(self.data, result.stderr)
        self.assertFalse(os.path.exists(self.data))


if __name__ == "__main__":
    unittest.main()
