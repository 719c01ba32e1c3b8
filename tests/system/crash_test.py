"""kill -9 under load from both faces: what was acknowledged is there afterwards, and the store is consistent.

Writers by S3 (PUT, overwrite, DELETE; small, middle and large bodies) and by the mount (create, overwrite,
rename over, unlink; fsync or only close) tell a ledger before and after every operation. The daemon dies at
a random moment, or by a failpoint at a chosen step. After the restart `amphora check` must find nothing,
and every name must have a content that the ledger allows: the last acknowledged one, or that of the one
operation in flight. AMPHORA_CRASH_SEED repeats a run's choices.
"""

import hashlib
import os
import random
import time
import unittest

from amphora_store import StartFailed, Store
from crash_load import ABSENT, Ledger, Writer, expect_success, write_file
from scale import scaled

ROUNDS = scaled(50, 10)
SEED = int(os.environ.get("AMPHORA_CRASH_SEED", str(random.SystemRandom().randrange(1 << 32))))
BUCKET = "crash"
NAMES = 40  # per writer: few enough that overwrites and deletions are common
SIZES = (0, 1, 100, 4096, 16384, 16385, 60_000, 300_000, 1_200_000)

# Steps that the daemon must be able to die at; "exit@N" ends it at the N-th visit.
FAILPOINTS = ("fs.put.before_commit", "fs.put.after_commit", "fs.put.blob_sync", "fs.blob.sync",
              "fs.blob.name_sync", "fs.blob.write", "fs.delete.before_commit", "fs.delete.after_commit",
              "fs.settle.before_commit", "fs.open_row.before_commit", "fs.open_row.before_erase",
              "fs.collect.before_unlink", "fs.collect.before_erase", "fs.fsync.data", "fs.fsync.log",
              "fs.reap.before_commit", "meta.sync")


def digest(data):
    return hashlib.sha256(data).hexdigest()


class DigestWriter(Writer):
    def content(self):
        return self.random.randbytes(self.random.choice(SIZES))


class S3Writer(DigestWriter):
    def __init__(self, name, seed, ledger, store):
        super().__init__(name, seed, ledger)
        self.s3 = store.s3

    def step(self):
        key = f"{self.name}/d{self.random.randrange(4)}/k{self.random.randrange(NAMES // 4)}"
        if self.random.random() < 0.2:
            self.ledger.begin(key, ABSENT)
            answer = self.s3.delete(f"/{BUCKET}/{key}")
            outcome = ABSENT
        else:
            data = self.content()
            outcome = digest(data)
            self.ledger.begin(key, outcome)
            answer = self.s3.put(f"/{BUCKET}/{key}", data)
        expect_success(answer, key)
        self.ledger.end(key, outcome)


class MountWriter(DigestWriter):
    """Names change by rename and unlink; contents by whole files. fsync's acknowledgement covers the file and
    its name; close's covers kill -9 (not a power cut), and so does the return of rename and unlink."""

    def __init__(self, name, seed, ledger, point):
        super().__init__(name, seed, ledger)
        self.directory = point / name
        self.directory.mkdir(exist_ok=True)

    def step(self):
        name = f"f{self.random.randrange(NAMES)}"
        key, path = f"{self.name}/{name}", self.directory / name
        choice = self.random.random()
        if choice < 0.15 and path.exists():
            self.ledger.begin(key, ABSENT)
            os.unlink(path)
            self.ledger.end(key, ABSENT)
            return
        data = self.content()
        fresh = self.directory / f"new-{name}"
        # A name of its own for the new bytes, never judged before the rename gives it the known one.
        write_file(fresh, data, sync=self.random.random() < 0.5)
        self.ledger.begin(key, digest(data))
        os.rename(fresh, path)
        self.ledger.end(key, digest(data))


class FsyncWriter(MountWriter):
    """New files only, each fsynced (or closed) under its own name: no rename to hide behind."""

    def __init__(self, name, seed, ledger, point):
        super().__init__(name, seed, ledger, point)
        self.next = self.random.randrange(1 << 30)

    def step(self):
        self.next += 1
        key = f"{self.name}/g{self.next}"
        data = self.content()
        write_file(self.directory / f"g{self.next}", data, sync=self.random.random() < 0.7)
        self.ledger.end(key, digest(data))


class CrashTest(unittest.TestCase):
    def test_acknowledged_writes_survive_kill_9(self):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        choice = random.Random(SEED)
        ledger = Ledger()
        with Store(start=False) as store:
            store.start()
            store.run("bucket", "create", f"/s3v/{BUCKET}")
            store.kill()
            number = 0
            # On a slow machine more rounds, until enough was written to prove something.
            while number < ROUNDS or (ledger.acknowledged < ROUNDS * 10 and number < ROUNDS * 10):
                with self.subTest(round=number, seed=SEED):
                    self.one_round(store, ledger, choice)
                number += 1
            store.start()
            self.verify(store, ledger, list(ledger.allowed))
            self.assertGreaterEqual(ledger.acknowledged, ROUNDS * 10)
            print(f"{ledger.acknowledged} acknowledged operations", flush=True)

    def one_round(self, store, ledger, choice):
        environment, point_name = {}, None
        if choice.random() < 0.5:
            point_name = choice.choice(FAILPOINTS)
            environment["AMPHORA_FAILPOINTS"] = f"{point_name}=exit@{choice.randint(1, 60)}"
        touched = dict(ledger.allowed)
        try:
            store.start(environment=environment)
            point = store.mount(f"/s3v/{BUCKET}")
            writers = [S3Writer(f"s{i}", choice.random(), ledger, store) for i in range(2)]
            writers += [MountWriter("m0", choice.random(), ledger, point),
                        FsyncWriter("m1", choice.random(), ledger, point)]
        except (AssertionError, OSError, StartFailed):
            if point_name is None:
                raise
            writers = []  # the failpoint struck in the recovery of the round before, or while the mount was made
        for writer in writers:
            writer.start()
        deadline = time.monotonic() + choice.uniform(0.05, 0.7)
        if store.daemon:
            while time.monotonic() < deadline and store.daemon.poll() is None:
                time.sleep(0.005)
            store.kill()
        for writer in writers:
            writer.join(timeout=60)
            self.assertFalse(writer.is_alive(), f"{writer.name} hangs on a dead mount")
            self.assertIsNone(writer.error, writer.name)
        store.start()
        report = store.run("check", "--json", check=False)
        self.assertEqual(report.returncode, 0, f"{point_name}: {report.stdout[:2000]}{report.stderr}")
        changed = [k for k, v in ledger.allowed.items() if touched.get(k) != v]
        self.verify(store, ledger, changed)
        store.kill()

    def verify(self, store, ledger, keys):
        for key in keys:
            answer = store.s3.get(f"/{BUCKET}/{key}")
            self.assertIn(answer.status, (200, 404), key)
            found = digest(answer.body) if answer.status == 200 else ABSENT
            self.assertIn(found, ledger.allowed[key],
                          f"{key}: {answer.status}, {len(answer.body)} bytes, not what was acknowledged")
            ledger.settle(key, found)


if __name__ == "__main__":
    unittest.main()
