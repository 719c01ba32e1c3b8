"""SQLite in the mount: processes that write in WAL mode at once, readers beside them, and writers that are killed.

A writer moves money between accounts and adds a line to a ledger in one transaction, and tells each that was committed.
Whatever happens, the sum of the accounts stays, every told line is there, and the ledger explains each account.
AMPHORA_TEST_SCALE is the part of the transactions.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled

ACCOUNTS, MONEY = 200, 1000
WRITERS, TRANSACTIONS = 4, 150
BUSY_S = 60
LIMIT_S = 600

WRITER = f"""
import os, random, sqlite3, sys
path, writer, count, synchronous = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
database = sqlite3.connect(path, timeout={BUSY_S}, isolation_level=None)
database.execute("PRAGMA synchronous = " + synchronous)
database.execute("PRAGMA wal_autocheckpoint = 50")
chance = random.Random(writer)
for number in range(count):
    giver, taker = chance.sample(range({ACCOUNTS}), 2)
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE accounts SET money = money - 1 WHERE id = ?", (giver,))
    database.execute("UPDATE accounts SET money = money + 1 WHERE id = ?", (taker,))
    database.execute("INSERT INTO ledger VALUES (?, ?, ?, ?, ?)",
                     (writer, number, giver, taker, chance.randbytes(chance.choice((10, 300, 9000)))))
    database.execute("COMMIT")
    os.write(1, b"%d\\n" % number)
"""

READER = f"""
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], timeout={BUSY_S}, isolation_level=None)
print("begins", flush=True)
while True:
    database.execute("BEGIN")
    lines, = database.execute("SELECT count(*) FROM ledger").fetchone()
    total, = database.execute("SELECT sum(money) FROM accounts").fetchone()
    again, = database.execute("SELECT count(*) FROM ledger").fetchone()
    database.execute("COMMIT")
    if (total, again) != ({ACCOUNTS * MONEY}, lines):
        sys.exit(f"sum {{total}}, {{lines}} lines and then {{again}}")
"""


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


class SqliteTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(4096))

    def make(self, path, journal):
        database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self.assertEqual(database.execute(f"PRAGMA journal_mode = {journal}").fetchone(), (journal,))
        database.execute("CREATE TABLE accounts (id INTEGER PRIMARY KEY, money INTEGER)")
        database.execute("CREATE TABLE ledger (writer, number, giver, taker, note, PRIMARY KEY (writer, number))")
        database.execute("CREATE INDEX by_note ON ledger (note)")
        database.executemany("INSERT INTO accounts VALUES (?, ?)", ((each, MONEY) for each in range(ACCOUNTS)))
        database.close()

    def start(self, script, *arguments):
        process = subprocess.Popen([sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, bufsize=0)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()

    def told(self, process):
        """How many transactions a writer told, which is at its end."""
        output, trouble = process.communicate(timeout=LIMIT_S)
        self.assertIn(process.returncode, (0, -signal.SIGKILL), trouble.decode())
        return [int(line) for line in output.split(b"\n")[:-1]]

    def expect_whole(self, path, told):
        database = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self.assertEqual(database.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
        accounts = dict(database.execute("SELECT id, money FROM accounts"))
        lines = list(database.execute("SELECT writer, number, giver, taker FROM ledger"))
        database.close()
        there = {(writer, number) for writer, number, _, _ in lines}
        for writer, numbers in told.items():
            self.assertEqual([number for number in numbers if (writer, number) not in there], [])
            # One that was killed may not have come to tell its last.
            self.assertLessEqual(sum(1 for each in there if each[0] == writer), len(numbers) + 1)
        explained = dict.fromkeys(range(ACCOUNTS), MONEY)
        for _, _, giver, taker in lines:
            explained[giver] -= 1
            explained[taker] += 1
        self.assertEqual(accounts, explained)
        return len(lines)

    def contend(self, mount, journal, synchronous, count):
        path = mount.point / f"{journal}.db"
        self.make(path, journal)
        reader = self.start(READER, path)
        self.assertEqual(reader.stdout.readline(), b"begins\n")
        writers = [self.start(WRITER, path, number, count, synchronous) for number in range(WRITERS)]
        told = {number: self.told(writer) for number, writer in enumerate(writers)}
        self.assertIsNone(reader.poll(), "the reader saw what it must not")
        self.end(reader)
        self.assertEqual(self.expect_whole(path, told), WRITERS * count)
        return path

    def test_writers_in_wal_mode(self):
        for mode in (MODES[0], MODES[3]):
            with self.subTest(mode=mode.name), posix_mount(self.disk, mode) as mount:
                path = self.contend(mount, "wal", "NORMAL", scaled(TRANSACTIONS, 50))
                mount.remount()
                self.expect_whole(path, {})
                # The last to close has put the log into the database.
                self.assertEqual(os.listdir(mount.point), ["wal.db"])

    def test_writers_with_a_rollback_journal(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            for journal in ("delete", "truncate", "persist"):
                self.contend(mount, journal, "FULL", scaled(TRANSACTIONS // 10, 5))

    def kill_one(self, mount, journal, synchronous):
        """The others go on, and the next who opens the database recovers it."""
        path, count = mount.point / f"{journal}.db", scaled(TRANSACTIONS // 3, 30)
        self.make(path, journal)
        victims = [self.start(WRITER, path, number, 1_000_000, synchronous) for number in range(3)]
        told = {}
        for number, victim in enumerate(victims):
            first = [int(victim.stdout.readline()) for _ in range(random.randrange(5, 40))]
            victim.kill()
            told[number] = first + self.told(victim)
        survivor = self.start(WRITER, path, 3, count, synchronous)
        told[3] = self.told(survivor)
        self.assertEqual(len(told[3]), count)
        self.expect_whole(path, told)

    def test_killed_writers_take_nothing_with_them(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            self.kill_one(mount, "wal", "FULL")
            self.kill_one(mount, "delete", "NORMAL")

    def test_what_was_committed_survives_kill_9_of_the_daemon(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            path = mount.point / "wal.db"
            self.make(path, "wal")
            writers = [self.start(WRITER, path, number, 1_000_000, "FULL") for number in range(2)]
            before = [[int(writer.stdout.readline()) for _ in range(30)] for writer in writers]
            mount.store.kill()
            after = []
            for writer in writers:
                output, _ = writer.communicate(timeout=LIMIT_S)
                after.append([int(line) for line in output.split(b"\n")[:-1]])
            mount.store.unmount_dead()
            mount.store.start()
            mount.remount()
            self.expect_whole(path, {number: before[number] + after[number] for number in range(2)})


if __name__ == "__main__":
    unittest.main()
