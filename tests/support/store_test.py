"""A daemon that ends badly, or prints a sanitizer's report, fails the test that started it: shown with scripts in
the daemon's place, one for each way to misbehave. And what scale.py makes of its setting.
"""

import os
import re
import unittest
from unittest import mock

from amphora_store import StartFailed, Store
from sanitizers import report_in
from scale import scaled

READY = 'echo "amphora: ready s3=http://127.0.0.1:1 socket=/none"'
REPORTS = {
    "address": "==42==ERROR: AddressSanitizer: heap-use-after-free on address 0x1 at pc 0x2",
    "leak": "==42==ERROR: LeakSanitizer: detected memory leaks",
    "undefined": "fs/a.cc:7:3: runtime error: signed integer overflow: 1 + 2147483647 cannot be represented",
    "thread": "WARNING: ThreadSanitizer: data race (pid=42)",
}


class StoreTest(unittest.TestCase):
    def store_of(self, script):
        """A store whose program is `script`; not started."""
        store = Store(start=False)
        self.addCleanup(store.directory.rmdir)
        self.addCleanup(lambda: [path.unlink() for path in store.directory.iterdir()])
        store.binary = store.directory / "program"
        store.binary.write_text(f"#!/bin/bash\n{script}\n")
        store.binary.chmod(0o755)
        return store

    def daemon(self, at_start="", at_end="exit 0"):
        """One that is ready, then waits for SIGTERM."""
        return self.store_of(f"trap '{at_end}' TERM\n{at_start}\n{READY}\nwhile :; do sleep 0.05; done").start()

    def expect_failure(self, call, pattern):
        with mock.patch("shutil.rmtree"), self.assertRaisesRegex(AssertionError, pattern):
            call()

    def test_a_daemon_that_ends_well_is_no_failure(self):
        with mock.patch("shutil.rmtree"):
            self.daemon(at_start="echo '[error] an error of a request' >&2").close()
            self.assertEqual(self.daemon().stop(), 0)

    def test_a_report_fails_close_stop_and_kill(self):
        for name, report in REPORTS.items():
            for end in (Store.close, Store.stop, Store.kill):
                with self.subTest(report=name, end=end.__name__):
                    store = self.daemon(at_start=f"echo '{report}' >&2")
                    self.expect_failure(lambda end=end, store=store: end(store), re.escape(report[-20:]))

    def test_a_report_at_the_end_fails_close(self):
        store = self.daemon(at_end=f'echo "{REPORTS["leak"]}" >&2; exit 23')
        self.expect_failure(store.close, "LeakSanitizer")

    def test_another_exit_code_than_0_fails_close_and_stop(self):
        self.expect_failure(self.daemon(at_end="exit 3").close, "ended with 3")
        self.expect_failure(self.daemon(at_end="exit 3").stop, "ended with 3")

    def test_a_daemon_that_died_before_fails_close(self):
        store = self.store_of(f"{READY}\nkill -SEGV $$").start()
        store.daemon.wait(10)
        self.expect_failure(store.close, "ended with -11")

    def test_a_report_instead_of_a_start_is_no_refusal_to_start(self):
        store = self.store_of(f"echo '{REPORTS['address']}' >&2; exit 1")
        self.expect_failure(store.start, "heap-use-after-free")
        with self.assertRaises(StartFailed):
            self.store_of("echo 'amphora: the data directory is in use' >&2; exit 1").start()

    def test_a_report_of_a_command_fails_it_also_when_its_code_is_not_looked_at(self):
        store = self.store_of(f"echo '{REPORTS['undefined']}' >&2; exit 1")
        self.expect_failure(lambda: store.run("status", check=False), "signed integer overflow")

    def test_what_looks_like_a_report_only(self):
        for line in ("[error] runtime error of a client", "AddressSanitizer is a tool", "warning: data race"):
            self.assertIsNone(report_in(line), line)


class ScaleTest(unittest.TestCase):
    def scaled(self, scale, full, least):
        with mock.patch.dict(os.environ, {"AMPHORA_TEST_SCALE": scale}):
            return scaled(full, least)

    def test_full_without_the_setting_and_at_least_what_proves_something_with_it(self):
        self.assertEqual(self.scaled("", 1000, 10), 1000)
        self.assertEqual(self.scaled("0.05", 1000, 10), 50)
        self.assertEqual(self.scaled("0.001", 1000, 10), 10)
        self.assertEqual(self.scaled("0.001", 5, 10), 5)
        self.assertEqual(self.scaled("2", 1000, 10), 2000)

    def test_a_scale_that_is_no_number_in_range_ends_the_test(self):
        for scale in ("0", "-1", "101", "many", "0.1x"):
            with self.assertRaises(SystemExit, msg=scale):
                self.scaled(scale, 1000, 10)


if __name__ == "__main__":
    unittest.main()
