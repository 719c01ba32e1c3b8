"""Locks with real processes: local to a mount by default, across mounts with -o locks=shared."""

import os
import select
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from amphora_store import Store

HOLDER = Path(__file__).with_name("lock_holder.py")
LIMIT_S = 30


class Holder:
    """One process; `ask` waits for its answer, `begin` does not."""

    def __init__(self, test):
        self.process = subprocess.Popen([sys.executable, str(HOLDER)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        test.addCleanup(self.end)

    def begin(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()

    def answer(self, limit=LIMIT_S):
        if not select.select([self.process.stdout], [], [], limit)[0]:
            return None
        return self.process.stdout.readline().strip()

    def ask(self, *words):
        self.begin(*words)
        return self.answer()

    def is_waiting(self):
        """True once the process sleeps in the kernel's FUSE code or its lock code."""
        limit = time.monotonic() + LIMIT_S
        while time.monotonic() < limit:
            where = Path(f"/proc/{self.process.pid}/wchan").read_text()
            if "fuse" in where or "lock" in where or "request_wait" in where:
                return True
            time.sleep(0.01)
        raise AssertionError("it does not wait in " + where)

    def end(self, how=signal.SIGKILL):
        if self.process.poll() is None:
            self.process.send_signal(how)
        self.process.wait(LIMIT_S)
        self.process.stdin.close()
        self.process.stdout.close()


class LocksTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store())
        self.store.run("bucket", "create", "/s3v/demo")

    def holders(self, count, options):
        """Processes on mounts of their own, each with the same file open as "f"."""
        self.points = [self.store.mount("/s3v/demo", options=options, name=f"mnt{n}") for n in range(count)]
        holders = [Holder(self) for _ in range(count)]
        for holder, point in zip(holders, self.points):
            self.assertEqual(holder.ask("open", "f", point / "file"), "ok")
        return holders

    def test_by_default_locks_hold_within_one_mount(self):
        one, other = self.holders(2, None)
        same = Holder(self)
        same.ask("open", "f", self.points[0] / "file")
        for kind in ("posix", "ofd", "flock"):
            self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
            self.assertEqual(same.ask("lock", "f", kind, "exclusive", 0, 0), "EAGAIN")
            self.assertEqual(other.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
            for holder in (one, other):
                self.assertEqual(holder.ask("unlock", "f", kind, 0, 0), "ok")

    def test_shared_locks_exclude_across_mounts(self):
        one, other = self.holders(2, "locks=shared")
        for kind in ("posix", "ofd", "flock"):
            with self.subTest(kind=kind):
                self.assertEqual(one.ask("lock", "f", kind, "shared", 0, 100), "ok")
                self.assertEqual(other.ask("lock", "f", kind, "shared", 0, 100), "ok")
                self.assertEqual(other.ask("lock", "f", kind, "exclusive", 0, 100), "EAGAIN")
                if kind == "flock":  # a conversion that fails has given the lock up (flock(2))
                    self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
                    self.assertEqual(one.ask("lock", "f", kind, "shared", 0, 0), "ok")
                    self.assertEqual(other.ask("lock", "f", kind, "shared", 0, 0), "ok")
                else:
                    self.assertEqual(other.ask("lock", "f", kind, "exclusive", 100, 0), "ok")
                if kind == "posix":  # of an open file description a process's own lock is in the way, too
                    self.assertEqual(one.ask("test", "f", 50, 100),
                                     f"ok False 0 100 {other.process.pid}")
                self.assertEqual(one.ask("unlock", "f", kind, 0, 0), "ok")
                self.assertEqual(other.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
                self.assertEqual(one.ask("lock", "f", kind, "shared", 5, 1), "EAGAIN")
                self.assertEqual(other.ask("unlock", "f", kind, 0, 0), "ok")

    def test_a_wait_ends_when_the_lock_is_given_up(self):
        one, other = self.holders(2, "locks=shared")
        for kind in ("posix", "ofd", "flock"):
            with self.subTest(kind=kind):
                self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
                other.begin("lock", "f", kind, "exclusive", 0, 0, "wait")
                self.assertTrue(other.is_waiting())
                self.assertIsNone(other.answer(0.2))
                self.assertEqual(one.ask("unlock", "f", kind, 0, 0), "ok")
                self.assertEqual(other.answer(), "ok")
                self.assertEqual(other.ask("unlock", "f", kind, 0, 0), "ok")

    def test_who_gets_the_lock_sees_what_was_written_under_it(self):
        one, other = self.holders(2, "locks=shared")
        for number in range(50):
            writer, reader = (one, other) if number % 2 == 0 else (other, one)
            self.assertEqual(writer.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
            reader.begin("lock", "f", "posix", "shared", 0, 0, "wait")
            self.assertEqual(writer.ask("write", "f", f"round-{number:04}"), "ok")
            self.assertEqual(writer.ask("unlock", "f", "posix", 0, 0), "ok")
            self.assertEqual(reader.answer(), "ok")
            self.assertEqual(reader.ask("read", "f"), f"ok round-{number:04}")
            self.assertEqual(reader.ask("unlock", "f", "posix", 0, 0), "ok")

    def test_a_deadlock_is_refused(self):
        one, other = self.holders(2, "locks=shared")
        self.assertEqual(one.ask("lock", "f", "posix", "exclusive", 0, 1), "ok")
        self.assertEqual(other.ask("lock", "f", "posix", "exclusive", 1, 1), "ok")
        one.begin("lock", "f", "posix", "exclusive", 1, 1, "wait")
        self.assertTrue(one.is_waiting())
        self.assertEqual(other.ask("lock", "f", "posix", "exclusive", 0, 1, "wait"), "EDEADLK")
        self.assertEqual(other.ask("unlock", "f", "posix", 0, 0), "ok")
        self.assertEqual(one.answer(), "ok")

    def test_a_signal_ends_a_wait(self):
        one, other = self.holders(2, "locks=shared")
        for kind in ("posix", "ofd", "flock"):
            with self.subTest(kind=kind):
                self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
                other.begin("lock", "f", kind, "shared", 0, 0, "wait")
                self.assertTrue(other.is_waiting())
                other.process.send_signal(signal.SIGALRM)
                self.assertEqual(other.answer(), "EINTR")
                self.assertEqual(one.ask("unlock", "f", kind, 0, 0), "ok")
                # The wait that ended holds nothing.
                self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
                self.assertEqual(one.ask("unlock", "f", kind, 0, 0), "ok")

    def test_close_of_any_descriptor_drops_a_processs_records(self):
        one, other = self.holders(2, "locks=shared")
        one.ask("open", "second", self.points[0] / "file", "r")
        self.assertEqual(one.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
        self.assertEqual(one.ask("close", "second"), "ok")
        self.assertEqual(other.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
        self.assertEqual(other.ask("close", "f"), "ok")
        # The locks of an open file description and flock go with its own last descriptor only.
        for kind in ("ofd", "flock"):
            one.ask("open", "second", self.points[0] / "file", "r")
            self.assertEqual(one.ask("lock", "f", kind, "exclusive", 0, 0), "ok")
            self.assertEqual(one.ask("close", "second"), "ok")
            other.ask("open", "f", self.points[1] / "file")
            self.assertEqual(other.ask("lock", "f", kind, "exclusive", 0, 0), "EAGAIN")
            self.assertEqual(one.ask("close", "f"), "ok")
            self.assertEqual(other.ask("lock", "f", kind, "exclusive", 0, 0, "wait"), "ok")
            self.assertEqual(other.ask("unlock", "f", kind, 0, 0), "ok")
            one.ask("open", "f", self.points[0] / "file")

    def test_a_killed_holder_and_a_mount_that_goes_give_up_their_locks(self):
        one, other, third = self.holders(3, "locks=shared")
        self.assertEqual(one.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
        other.begin("lock", "f", "posix", "exclusive", 0, 0, "wait")
        self.assertTrue(other.is_waiting())
        one.end()
        self.assertEqual(other.answer(), "ok")
        third.begin("lock", "f", "posix", "exclusive", 0, 0, "wait")
        self.assertTrue(third.is_waiting())
        self.store.run("umount", "--force", self.points[1])
        self.assertEqual(third.answer(), "ok")

    def test_a_mount_goes_although_somebody_waits_in_it(self):
        one, other, third = self.holders(3, "locks=shared")
        self.assertEqual(one.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
        for waiter, kind in ((other, "posix"), (third, "ofd")):
            waiter.begin("lock", "f", kind, "exclusive", 0, 0, "wait")
            self.assertTrue(waiter.is_waiting())
        self.store.run("umount", "--force", self.points[1])
        self.assertIn(other.answer(), ("ENOTCONN", "ECONNABORTED", "ECANCELED"))
        # A daemon that stops leaves nobody waiting: the holder's mount may go first.
        self.assertEqual(self.store.stop(), 0)
        self.assertIn(third.answer(), ("ok", "ENOTCONN", "ECONNABORTED", "ECANCELED"))
        self.store.start()

    def test_many_waiters_do_not_stop_the_mount(self):
        one, other = self.holders(2, "locks=shared")
        self.assertEqual(one.ask("lock", "f", "posix", "exclusive", 0, 0), "ok")
        waiters = [Holder(self) for _ in range(24)]
        for waiter in waiters:
            waiter.ask("open", "f", self.points[1] / "file")
            waiter.begin("lock", "f", "posix", "exclusive", 0, 0, "wait")
        for waiter in waiters:
            self.assertTrue(waiter.is_waiting())
        # Every thread and queue of the mount that they wait in is free for others.
        for number in range(50):
            (self.points[1] / f"other-{number}").write_text("still served")
        self.assertEqual(one.ask("unlock", "f", "posix", 0, 0), "ok")
        # Whoever gets the lock gives it up; so all get it in the end.
        left = list(waiters)
        while left:
            ready = select.select([w.process.stdout for w in left], [], [], LIMIT_S)[0]
            self.assertTrue(ready, "a waiter was forgotten")
            for waiter in [w for w in left if w.process.stdout in ready]:
                self.assertEqual(waiter.answer(), "ok")
                self.assertEqual(waiter.ask("unlock", "f", "posix", 0, 0), "ok")
                left.remove(waiter)


if __name__ == "__main__":
    unittest.main()
