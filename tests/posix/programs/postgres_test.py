"""PostgreSQL with its data directory in the mount: pgbench, kill -9 of the postmaster and of the daemon below it,
recovery, pg_amcheck and pg_checksums.

The sums of pgbench's tables agree only when no transaction is half there, and a table of numbers whose commits were
told to a client says that none is missing. AMPHORA_TEST_SCALE is the part of the transactions.
"""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled
from user_store import USER

POSTGRES = USER  # not root, who may not run it, and one with a name
TRANSACTIONS, CLIENTS = 100, 4  # transactions a client
PATIENCE_S = 600  # a recovery syncs every file
LIMIT_S = 900

# TPC-B's four tables tell the same sum, and the history has a line for each transaction.
SUMS = ("SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history),"
        " (SELECT sum(tbalance) FROM pgbench_tellers) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history),"
        " (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT coalesce(sum(delta), 0) FROM pgbench_history)")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def programs():
    """Where Debian puts PostgreSQL's server programs: one folder a version."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    return versions[-1]


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Server:
    """One data directory in the mount; its socket is elsewhere, since it takes no network port."""

    def __init__(self, mount):
        self.mount = mount
        self.data = mount.point / "data"
        self.sockets = Path(tempfile.mkdtemp(prefix="amp-pg-", dir="/tmp"))
        self.process = None
        os.chown(self.sockets, POSTGRES, POSTGRES)

    def run(self, program, *arguments, check=True):
        result = subprocess.run([programs() / program, *map(str, arguments)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=LIMIT_S, check=False, cwd="/",
                                **self.identity())
        if check and result.returncode != 0:
            raise AssertionError(f"{program}: exit {result.returncode}\n{result.stdout[-4000:]}")
        return result

    @staticmethod
    def identity():
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {"user": POSTGRES, "group": POSTGRES, "extra_groups": [], "env": {**clean, "LC_ALL": "C.UTF-8"}}

    def client(self, program, *arguments, **options):
        return self.run(program, "-h", self.sockets, "-U", "tester", *arguments, **options)

    def query(self, sql, database="postgres"):
        return self.client("psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql).stdout.strip()

    def start(self):
        # Little memory, so that pages are written and read again; a checkpoint every few MiB.
        settings = {"listen_addresses": "", "unix_socket_directories": self.sockets, "shared_buffers": "2MB",
                    "max_wal_size": "32MB", "min_wal_size": "32MB", "wal_compression": "on",
                    "restart_after_crash": "off"}
        command = [programs() / "postgres", "-D", self.data,
                   *(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))]
        with open(self.sockets / "log", "ab") as log:
            self.process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log, cwd="/", **self.identity())
        limit = time.monotonic() + PATIENCE_S
        while self.client("pg_isready", "-q", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > limit:
                raise AssertionError(f"postgres does not serve:\n{self.log()[-4000:]}")
            time.sleep(0.05)

    def log(self):
        return (self.sockets / "log").read_text(errors="replace")

    def family(self):
        """The postmaster's children, which notice its death by themselves."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text(encoding="ascii")
        return [int(child) for child in children.split()]

    def kill(self, everybody=False):
        """kill -9 of the postmaster, or of everybody, where one who holds a lock may be dead already."""
        children = self.family()
        self.process.kill()
        self.process.wait()
        for child in children if everybody else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        limit = time.monotonic() + PATIENCE_S
        while any(runs(child) for child in children):
            if time.monotonic() > limit:
                raise AssertionError("postgres' children go on without their postmaster: " + "; ".join(
                    Path(f"/proc/{child}/stat").read_text("ascii") for child in children if runs(child)))
            time.sleep(0.02)
        self.process = None

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # fast shutdown
        code = self.process.wait(timeout=PATIENCE_S)
        self.process = None
        if code != 0:
            raise AssertionError(f"postgres ended with {code}:\n{self.log()[-4000:]}")

    def close(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()
        subprocess.run(["rm", "-rf", self.sockets], check=True)


class PostgresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(8192))

    @contextlib.contextmanager
    def server(self, mode):
        with posix_mount(self.disk, mode) as mount, contextlib.closing(Server(mount)) as server:
            server.run("initdb", "-D", server.data, "-U", "tester", "--data-checksums", "-A", "trust",
                       "--no-sync")
            server.start()
            server.client("pgbench", "-i", "-q", "-s", "2", "postgres")
            server.query("CREATE TABLE told (number int PRIMARY KEY)")
            for database in ("postgres", "template1"):  # template0 takes no connections
                server.query("CREATE EXTENSION amcheck", database)
            yield server

    def expect_whole(self, server):
        """Sums, every heap and index page, and, at rest, every page's checksum."""
        self.assertEqual(server.query(SUMS), "t|t|t")
        found = server.client("pg_amcheck", "--all", "--heapallindexed", "--parent-check", "--rootdescend").stdout
        self.assertEqual(found, "")
        server.stop()
        self.assertRegex(server.run("pg_checksums", "--check", "-D", server.data).stdout, r"Bad checksums: +0\n")

    def begin_load(self, server):
        """pgbench, and a client that tells each number that was committed to it."""
        bench = self.client_process(server, "pgbench", "-n", "-c", CLIENTS, "-j", 2, "-T", LIMIT_S, "postgres")
        teller = self.client_process(server, "psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", "postgres")
        feed = "".join(f"INSERT INTO told VALUES ({number});\n\\echo {number}\n" for number in range(2000))
        teller.stdin.write(feed.encode())
        teller.stdin.close()
        return bench, teller

    def client_process(self, server, program, *arguments):
        command = [programs() / program, "-h", server.sockets, "-U", "tester", *arguments]
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, cwd="/", bufsize=0, **server.identity())
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()

    def after_some(self, teller):
        """The numbers told until the load is well under way."""
        return [int(teller.stdout.readline()) for _ in range(scaled(100, 20))]

    def rest_of(self, teller):
        return [int(line) for line in teller.stdout.read().split(b"\n") if line.isdigit()]

    def expect_told(self, server, told):
        there = server.query("SELECT string_agg(number::text, ',' ORDER BY number) FROM told").split(",")
        self.assertEqual(there[:len(told)], [str(number) for number in told])
        self.assertLessEqual(len(there), len(told) + 1)

    def test_pgbench(self):
        for mode in (MODES[0], MODES[3]):
            with self.subTest(mode=mode.name), self.server(mode) as server:
                count = scaled(TRANSACTIONS, 50)
                server.client("pgbench", "-n", "-c", CLIENTS, "-j", 2, "-t", count, "postgres")
                self.assertEqual(server.query("SELECT count(*) FROM pgbench_history"), str(CLIENTS * count))
                server.query("VACUUM FULL")
                server.query("REINDEX DATABASE postgres")
                self.expect_whole(server)
                server.mount.remount()
                server.start()
                self.expect_whole(server)

    def under_load(self, server, disturb):
        """What was told before and while `disturb` struck is there afterwards."""
        server.query("TRUNCATE told")
        _, teller = self.begin_load(server)
        told = self.after_some(teller)
        disturb()
        told += self.rest_of(teller)
        return told

    def test_kill_9_loses_nothing_committed(self):
        def kill_both():
            server.mount.store.kill()
            server.kill(everybody=True)

        with self.server(MODES[0]) as server:
            told = self.under_load(server, server.kill)
            server.start()
            self.assertIn("redo done", server.log())
            self.expect_told(server, told)
            told = self.under_load(server, kill_both)
            server.mount.store.unmount_dead()
            server.mount.store.start()
            server.mount.remount()
            server.start()
            self.expect_told(server, told)
            self.expect_whole(server)


if __name__ == "__main__":
    unittest.main()
