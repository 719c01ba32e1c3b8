"""A daemon that was killed and can't end: a thread of it waits for a directory's lock, whose holder waits for
the daemon. Whoever comes next aborts the connection, and goes on.
"""

import os
import subprocess
import threading
import time
import unittest
from pathlib import Path

from amphora_store import Store, is_mounted

LIMIT_S = 30
SIGKILL_BIT = 1 << 8
CONNECTIONS = "/sys/fs/fuse/connections"  # systemd mounts it


def wait_until(condition, what):
    limit = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"never: {what}")
        time.sleep(0.02)


def threads_of(pid):
    """{thread id: (state, killed)}; those that end meanwhile are left out."""
    threads = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        try:
            status = dict(line.split(":\t", 1) for line in (task / "status").read_text().splitlines()
                          if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        threads[int(task.name)] = (status["State"][0], bool(int(status["SigPnd"], 16) & SIGKILL_BIT))
    return threads


class DyingDaemonTest(unittest.TestCase):
    def hang(self):
        """A store whose daemon was killed and hangs: a create in the mount is never answered, and the
        invalidation of an S3 PUT waits for it."""
        if os.geteuid() != 0 and not os.path.ismount(CONNECTIONS):
            self.skipTest(f"only root can abort a connection where {CONNECTIONS} is not mounted")
        store = self.enterContext(Store(environment={"AMPHORA_FAILPOINTS": "mount.create.reply=sleep(600000)"}))
        store.run("bucket", "create", "/s3v/abc")
        point = store.mount("/s3v/abc")
        self.addCleanup(subprocess.run, ["umount", "-f", "-l", point], stderr=subprocess.DEVNULL, check=False)
        client = subprocess.Popen(["touch", point / "new"], stderr=subprocess.DEVNULL)
        self.addCleanup(client.wait, 60)
        pid = store.daemon.pid
        wait_until(lambda: "new" in str(store.run("dump").stdout), "the create reaches the store")
        threading.Thread(target=self.put, args=(store,), daemon=True).start()
        wait_until(lambda: any(state == "D" for state, _ in threads_of(pid).values()),
                   "the invalidation waits for the directory")
        store.daemon.kill()
        wait_until(lambda: len(threads_of(pid)) <= 3 and
                   any(state == "D" and killed for state, killed in threads_of(pid).values()),
                   "the killed daemon hangs")
        self.assertIsNone(store.daemon.poll())
        store.environment = {}
        return store, point

    @staticmethod
    def put(store):
        try:
            store.s3.put("/abc/other", b"bytes")
        except OSError:
            pass  # the daemon is killed under it

    def reap(self, store):
        self.assertEqual(store.daemon.wait(LIMIT_S), -9)
        store.daemon.stdout.close()
        store.daemon = None

    def test_serve_on_its_data_directory_lets_it_die_and_takes_over(self):
        store, point = self.hang()
        dead, store.daemon = store.daemon, None
        store.start()
        self.assertEqual(dead.wait(LIMIT_S), -9)
        dead.stdout.close()
        self.assertFalse(is_mounted(point))
        store.run("mount", "/s3v/abc", point)
        self.assertEqual(store.json("check")["findings_total"], 0)
        self.assertEqual(store.stop(), 0)

    def test_another_daemon_mounts_over_it(self):
        store, point = self.hang()
        with Store() as other:
            other.run("bucket", "create", "/s3v/xyz")
            other.run("mount", "/s3v/xyz", point)
            self.reap(store)
            (point / "file").write_bytes(b"bytes")
            self.assertEqual(other.s3.get("/xyz/file").body, b"bytes")
            other.run("umount", point)
        self.assertFalse(is_mounted(point))

    def test_umount_needs_no_daemon(self):
        store, point = self.hang()
        store.run("umount", point)
        self.reap(store)
        self.assertFalse(is_mounted(point))

    def test_commands_say_that_no_daemon_answers(self):
        store, point = self.hang()
        result = store.run("status", check=False, timeout=LIMIT_S)
        self.assertEqual(result.returncode, 3, result.stderr)
        store.run("umount", point)
        self.reap(store)

    def test_a_living_daemons_mount_is_left_alone(self):
        with Store() as store, Store() as other:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            result = other.run("mount", "/", point, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(str(point), result.stderr)
            (point / "file").write_bytes(b"bytes")
            self.assertTrue(os.path.exists(point / "file"))


if __name__ == "__main__":
    unittest.main()
