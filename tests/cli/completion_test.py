"""Shell completion, by a real bash; and that the scripts of zsh and fish know every command."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from amphora_store import BINARY

# What follows after Tab is pressed at the end of the line.
BASH = r"""
source "$1"
COMP_WORDS=(%s)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
COMP_LINE="${COMP_WORDS[*]}"
COMP_POINT=${#COMP_LINE}
_amphora
printf '%%s\n' "${COMPREPLY[@]}"
"""
COMMANDS = {"serve", "stop", "mount", "umount", "volume", "bucket", "s3", "status", "check", "dump", "gc",
            "version", "completion"}


def script(shell):
    return subprocess.run([BINARY, "completion", shell], capture_output=True, text=True, check=True).stdout


class CompletionTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name) / "amphora.bash"
        self.file.write_text(script("bash"))

    def complete(self, *words):
        quoted = " ".join(f"'{word}'" for word in words)
        result = subprocess.run(["bash", "--norc", "-c", BASH % quoted, "bash", self.file],
                                capture_output=True, text=True, check=True)
        self.assertEqual(result.stderr, "")
        return set(result.stdout.split())

    def test_bash_offers_commands_flags_and_choices(self):
        self.assertLessEqual(COMMANDS, self.complete("amphora", ""))
        self.assertEqual(self.complete("amphora", "um"), {"umount"})
        self.assertLessEqual({"create", "list", "show", "delete"}, self.complete("amphora", "bucket", ""))
        self.assertEqual(self.complete("amphora", "bucket", "cr"), {"create"})
        self.assertEqual(self.complete("amphora", "bucket", "create", "--js"), {"--json"})
        self.assertEqual(self.complete("amphora", "serve", "--auth", ""), {"open", "keys"})
        self.assertEqual(self.complete("amphora", "serve", "--auth", "k"), {"keys"})
        self.assertLessEqual({"--data", "--s3", "--config", "--check-config"},
                             self.complete("amphora", "serve", "--"))
        self.assertEqual(self.complete("amphora", "--json", "bucket", "sh"), {"show"})

    def test_bash_leaves_files_to_itself(self):
        self.assertEqual(self.complete("amphora", "serve", "--data", "/"), set())

    def test_bash_completes_by_itself_in_a_terminal(self):
        # readline, not the function: that `complete` knows it, and falls back to files.
        result = subprocess.run(["bash", "--norc", "-c", 'source "$1"; complete -p amphora', "bash", self.file],
                                capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout.strip(), "complete -o default -F _amphora amphora")

    def test_zsh_and_fish_know_every_command_and_flag(self):
        bash = self.file.read_text()
        flags = {word for word in bash.replace("'", " ").split() if word.startswith("--") and len(word) > 2}
        flags = {flag.rstrip(")") for flag in flags}
        for shell in ("zsh", "fish"):
            with self.subTest(shell):
                text = script(shell)
                for command in COMMANDS:
                    self.assertRegex(text, rf"\b{command}\b")
                for flag in flags:
                    self.assertIn(flag if shell == "zsh" else f"-l {flag[2:]}", text)

    def test_an_unknown_shell_is_refused(self):
        result = subprocess.run([BINARY, "completion", "tcsh"], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("tcsh", result.stderr)

    def test_a_word_too_many_is_refused(self):
        result = subprocess.run([BINARY, "completion", "bash", "more"], capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stdout), (2, ""))
        self.assertIn("'more'", result.stderr)


if __name__ == "__main__":
    unittest.main()
