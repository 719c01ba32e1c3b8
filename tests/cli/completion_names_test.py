"""Shell completion of what the running store has: a key is pressed in a real bash and a real zsh, and fish says what
it would offer.
"""

import os
import pty
import re
import select
import signal
import subprocess
import time
import unittest
from pathlib import Path

from amphora_store import BINARY, Store

LIMIT_S = 60
CONTROL_A = "\x01"  # to the beginning of the line, in bash and zsh


class Terminal:
    """A shell that reads from a terminal of its own."""

    def __init__(self, command, environment):
        self.process, self.descriptor = pty.fork()
        if self.process == 0:
            os.execvpe(command[0], command, environment)
        self.seen = ""

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def await_text(self, pattern):
        limit = time.monotonic() + LIMIT_S
        while not (found := re.search(pattern, self.seen)):
            left = limit - time.monotonic()
            if left <= 0 or not select.select([self.descriptor], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.descriptor, 4096).decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def close(self):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        os.close(self.descriptor)


class CompletionOfNamesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = cls.enterClassContext(Store())
        cls.store.run("volume", "create", "/projects")
        for bucket in ("/s3v/photos", "/s3v/films", "/projects/plans"):
            cls.store.run("bucket", "create", bucket)
        cls.point = cls.store.mount("/s3v/photos", name="a place")
        cls.program = Path(BINARY).resolve()

    def environment(self):
        return self.store.environ({"AMPHORA_SOCKET": str(self.store.socket), "TERM": "dumb", "LC_ALL": "C.UTF-8",
                                   "PATH": f"{self.program.parent}:{os.environ['PATH']}",
                                   "HOME": str(self.store.directory)})

    def names(self, *words):
        result = subprocess.run([self.program, "completion", "names", "--", *words], env=self.environment(),
                                capture_output=True, text=True, timeout=LIMIT_S, check=True)
        self.assertEqual(result.stderr, "")
        return set(result.stdout.splitlines())

    def test_volumes_and_buckets_are_offered_where_they_are_wanted(self):
        buckets = {"/s3v/films", "/s3v/photos"}
        self.assertEqual(self.names("volume", "show", ""), {"/s3v", "/projects"})
        self.assertEqual(self.names("volume", "delete", "/p"), {"/projects"})
        self.assertEqual(self.names("bucket", "list", "/"), {"/s3v", "/projects"})
        self.assertEqual(self.names("bucket", "show", "/"), {"/s3v/", "/projects/"})
        self.assertEqual(self.names("bucket", "show", "/s3v/"), buckets)
        self.assertEqual(self.names("bucket", "set", "/s"), buckets)
        self.assertEqual(self.names("bucket", "delete", "/s3v/f"), {"/s3v/films"})
        self.assertEqual(self.names("bucket", "link", "/pro"), {"/projects/plans"})
        self.assertEqual(self.names("bucket", "link", "/projects/plans", "/s"), {"/s3v/"})
        self.assertEqual(self.names("browse", "/s3v/p"), {"/s3v/photos"})
        self.assertEqual(self.names("mount", "/s3v/p"), {"/s3v/photos"})
        self.assertEqual(self.names("umount", ""), {str(self.point)})

    def test_what_is_to_be_made_is_not_offered(self):
        self.assertEqual(self.names("volume", "create", "/"), set())
        self.assertEqual(self.names("bucket", "create", "/s"), {"/s3v/"})
        self.assertEqual(self.names("bucket", "create", "/s3v/p"), set())

    def test_nothing_is_offered_elsewhere(self):
        for words in (("mount", "/s3v/photos", "/"), ("bucket", "show", "/none/"), ("bucket", "show", "-"),
                      ("status", ""), ("bucket", "show", "/s3v/photos", "/"), ("serve", "--data", "/"),
                      ("frob", "/"), ("",)):
            with self.subTest(words):
                self.assertEqual(self.names(*words), set())

    def test_the_daemon_is_the_one_that_the_line_names(self):
        with Store() as other:
            other.run("bucket", "create", "/s3v/elsewhere")
            for flag in (("--socket", str(other.socket)), (f"--socket={other.socket}",),
                         ("--socket", "=", str(other.socket)),
                         ("--socket", f"~/{os.path.relpath(other.socket, self.store.directory)}")):
                with self.subTest(flag):
                    self.assertEqual(self.names("bucket", "show", *flag, "/s3v/"), {"/s3v/elsewhere"})

    def test_no_daemon_and_one_that_hangs_offer_nothing_and_say_nothing(self):
        self.assertEqual(self.names("bucket", "show", "--socket", "/nowhere/sock", "/"), set())
        self.assertEqual(self.names("bucket", "show", "--config", "/nowhere/file", "/"), set())
        with Store() as other:
            other.daemon.send_signal(signal.SIGSTOP)
            try:
                self.assertEqual(self.names("bucket", "show", "--socket", str(other.socket), "/"), set())
            finally:
                other.daemon.send_signal(signal.SIGCONT)

    def press(self, command, setup, lines):
        """Each line is typed with a Tab after it and then printed word by word by the shell."""
        terminal = Terminal(command, self.environment())
        try:
            terminal.type(setup + "; echo REA''DY\n")
            terminal.await_text("READY")
            for line, word in lines:
                with self.subTest(shell=command[0], line=line):
                    terminal.type(f"{line}\t{CONTROL_A}printf '<%s>\\n' \n")
                    terminal.await_text(re.escape(f"<{word}>"))
        finally:
            terminal.close()

    def lines(self):
        return [("amphora bucket show /s3v/ph", "/s3v/photos"), ("amphora bucket show /pr", "/projects/plans"),
                ("amphora bucket create /pr", "/projects/"), ("amphora volume show /p", "/projects"),
                (f"amphora umount {self.store.directory}/a", str(self.point)),
                (f"{self.program} browse /s3v/f", "/s3v/films")]

    def test_in_bash(self):
        self.press(["bash", "--norc", "--noprofile", "-i"], "source <(amphora completion bash)", self.lines())

    def test_in_zsh(self):
        self.press(["zsh", "-f", "-i"], "bindkey -e; autoload -U compinit; compinit -D -u; "
                   "source <(amphora completion zsh)", self.lines())

    def test_in_fish(self):
        for line, word in self.lines():
            with self.subTest(line):
                result = subprocess.run(["fish", "--no-config", "-c", "amphora completion fish | source; "
                                         "complete -C $argv[1]", line], env=self.environment(), capture_output=True,
                                        text=True, timeout=LIMIT_S, check=True)
                offered = [row.split("\t")[0] for row in result.stdout.splitlines()]
                self.assertIn(word.replace(" ", "\\ "), [row.replace(" ", "\\ ") for row in offered], result.stdout)


if __name__ == "__main__":
    unittest.main()
