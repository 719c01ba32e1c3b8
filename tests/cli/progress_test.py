"""Progress of long commands: on a terminal, on standard error, and nowhere else."""

import os
import pty
import subprocess
import threading
import unittest

from amphora_store import BINARY, Store

OBJECTS = 3000


class ProgressTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.store = cls.enterClassContext(Store())
        cls.store.run("bucket", "create", "/s3v/abc")
        for i in range(OBJECTS):
            assert cls.store.s3.put(f"/abc/key-{i}", b"x").ok

    def run_on_terminal(self, *command):
        """(standard output, what the terminal on standard error was sent)"""
        master, slave = pty.openpty()
        shown = []

        def read():
            try:
                while piece := os.read(master, 4096):
                    shown.append(piece)
            except OSError:
                pass  # the other end is closed

        reader = threading.Thread(target=read)
        reader.start()
        process = subprocess.run([BINARY, *command, "--socket", str(self.store.socket)],
                                 stdout=subprocess.PIPE, stderr=slave, timeout=60, check=True)
        os.close(slave)
        reader.join()
        os.close(master)
        return process.stdout.decode(), b"".join(shown).decode()

    def test_a_terminal_sees_it_and_is_left_clean(self):
        out, shown = self.run_on_terminal("dump")
        self.assertIn("records 1000", shown)
        self.assertTrue(shown.endswith("\r\x1b[K"), repr(shown[-20:]))
        self.assertNotIn("\x1b", out)
        self.assertGreater(out.count("\n"), OBJECTS)

    def test_a_pipe_sees_nothing_of_it(self):
        for command in ("check", "gc", "dump"):
            with self.subTest(command):
                self.assertEqual(self.store.run(command).stderr, "")

    def test_the_daemon_reports_phases_of_check(self):
        answer = subprocess.run(["curl", "-sS", "-X", "POST", "--unix-socket", str(self.store.socket),
                                 "http://amphora/check"], capture_output=True, text=True, check=True).stdout
        self.assertIn('"progress"', answer)
        self.assertIn('"phase"', answer)


if __name__ == "__main__":
    unittest.main()
