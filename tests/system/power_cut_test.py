"""Power cuts under load from both faces: what was acknowledged or fsynced is there, nothing else is made up.

The data directory is on an XFS of its own, which is shut down without flushing at a random moment; then the
daemon is killed, the file system mounted again (it recovers its log) and the daemon started. `amphora check`
must find nothing, every file must be one that the ledger allows, block by block, by S3 and by the mount alike,
and no name may exist that nobody made. Then the same is done with a daemon that leaves out its syncs: the
verification must notice, or it proves nothing.

AMPHORA_POWER_SEED repeats a run's choices.
"""

import http.client
import itertools
import json
import os
import random
import time
import unittest

from amphora_store import StartFailed, Store
from crash_load import ABSENT, Ledger
from marked_content import Content, Foreign, parse
from power_disk import PowerDisk
from power_writers import (BUCKET, DIRECTORY, CompleteWriter, CreateWriter, DirectoryWriter, OverwriteWriter,
                           PutWriter, ReplaceWriter, TravelWriter, owner_of)
from scale import scaled

CUTS = scaled(20, 4)
SEED = int(os.environ.get("AMPHORA_POWER_SEED", str(random.SystemRandom().randrange(1 << 32))))
CONTROL_CUTS = 4  # of a daemon that does not sync; the first one that loses something is enough


def allows(outcome, found):
    if isinstance(outcome, Content) and not isinstance(found, str):
        return outcome.matches(found)
    return outcome == found


class Machine:
    """A store on a disk whose power can be cut, its ledger and its load."""

    def __init__(self, disk, store, seed, environment=None):
        self.disk, self.store = disk, store
        self.choice = random.Random(seed)
        self.environment = environment or {}
        self.ledger = Ledger()
        self.versions = itertools.count(1)
        store.data = disk.point / "data"
        store.start()
        store.run("bucket", "create", f"/s3v/{BUCKET}")
        store.stop()

    def writers(self, point):
        seed, s3 = self.choice.random, self.store.s3
        made = [PutWriter(f"put{i}", seed(), self.ledger, self.versions, s3) for i in range(2)]
        made.append(CompleteWriter("complete", seed(), self.ledger, self.versions, s3))
        for name, kind in (("create", CreateWriter), ("replace", ReplaceWriter), ("overwrite", OverwriteWriter),
                           ("directory", DirectoryWriter), ("travel", TravelWriter)):
            made.append(kind(name, seed(), self.ledger, self.versions, point))
        return made

    def one_cut(self):
        """What a reader finds wrong after one cut under load."""
        self.store.start(environment=self.environment)
        point = self.store.mount(f"/s3v/{BUCKET}")
        writers = self.writers(point)
        before = dict(self.ledger.allowed)
        for writer in writers:
            writer.start()
        time.sleep(self.choice.uniform(0.2, 0.9))
        early = [f"{w.name} ended before the cut: {w.interruption!r}{w.error!r}" for w in writers
                 if not w.is_alive()]
        # XFS may let an fsync that runs beside the shutdown succeed although its log record is lost.
        self.ledger.set_cutting(True)
        self.disk.cut()
        self.store.kill()
        for writer in writers:
            writer.join(timeout=60)
            if writer.is_alive():
                early.append(f"{writer.name} hangs on a dead mount")
            if writer.error is not None:
                early.append(f"{writer.name}: {writer.error!r}")
        if early:
            raise AssertionError("\n".join(early))
        self.store.unmount_dead()
        self.disk.restore()
        self.ledger.set_cutting(False)
        changed = [k for k, v in self.ledger.allowed.items() if before.get(k) != v]
        return self.judge(changed, writers[-1])

    def judge(self, keys, traveller=None):
        try:
            self.store.start()
        except StartFailed as error:
            return [f"the daemon does not start: {error}"]
        report = self.store.run("check", "--json", check=False)
        wrong = []
        if report.returncode != 0 or json.loads(report.stdout)["findings_total"] != 0:
            wrong.append(f"check: {report.stdout[:2000]}{report.stderr}")
        point = self.store.mount(f"/s3v/{BUCKET}")
        for key in keys:
            wrong += self.judge_key(point, key)
        wrong += self.unknown_names(point)
        if traveller is not None:
            wrong += traveller.violations()
        self.store.kill()
        self.store.unmount_dead()
        return wrong

    def judge_key(self, point, key):
        try:
            found = self.look(point, key)
        except (Foreign, OSError, http.client.HTTPException) as error:
            self.ledger.settle(key, ABSENT)
            return [f"{key}: {error!r}"]
        allowed = self.ledger.allowed[key]
        self.ledger.settle(key, found if isinstance(found, str) else Content.of(found))
        if any(allows(outcome, found) for outcome in allowed):
            return []
        return [f"{key}: found {str(found)[:500]}, allowed {str(allowed)[:1000]}"]

    def look(self, point, key):
        """What both faces show under `key`; they must agree."""
        path = point / key
        answer = self.store.s3.get(f"/{BUCKET}/{key}")
        if answer.status not in (200, 404):
            raise Foreign(f"{key}: GET answers {answer.status} {answer.body[:200]!r}")
        if key.endswith("/"):
            found = DIRECTORY if path.is_dir() else ABSENT
            if (answer.status == 200) != (found == DIRECTORY):
                raise Foreign(f"{key}: {answer.status} by S3, {found} in the mount")
            return found
        body = path.read_bytes() if path.exists() else None
        if body != (answer.body if answer.status == 200 else None):
            raise Foreign(f"{key}: the faces differ, {answer.status} by S3, {body is not None} in the mount")
        return ABSENT if body is None else parse(owner_of(key), body)

    def unknown_names(self, point):
        """Files that nobody made, and bytes that are not their own in those that no promise covers."""
        for folder, _, names in os.walk(point):
            for name in names:
                key = os.path.relpath(os.path.join(folder, name), point)
                if key in self.ledger.allowed:
                    continue
                if owner_of(key) == key:
                    yield f"{key}: nobody made it"
                    continue
                try:
                    parse(owner_of(key), (point / key).read_bytes())
                except (Foreign, OSError) as error:
                    yield str(error)


@unittest.skipUnless(os.geteuid() == 0, "a loop device, a mount and a shutdown of a file system need root")
class PowerCutTest(unittest.TestCase):
    def machine(self, seed, environment=None):
        disk = self.enterContext(PowerDisk())
        return Machine(disk, self.enterContext(Store(start=False)), seed, environment)

    def test_what_was_acknowledged_survives_power_cuts(self):
        print(f"seed {SEED}, {CUTS} cuts", flush=True)
        machine = self.machine(SEED)
        for number in range(CUTS):
            self.assertEqual(machine.one_cut(), [], f"cut {number} of seed {SEED}")
        self.assertEqual(machine.judge(list(machine.ledger.allowed)), [])
        self.assertGreater(machine.ledger.acknowledged, CUTS * 20, "too little was written to prove anything")
        print(f"{machine.ledger.acknowledged} acknowledged operations", flush=True)

    def control(self, *skipped):
        """A daemon that leaves these syncs out must be found out."""
        environment = {"AMPHORA_FAILPOINTS": ";".join(f"{name}=skip" for name in skipped)}
        machine = self.machine(SEED, environment)
        for _ in range(CONTROL_CUTS):
            wrong = machine.one_cut()
            if wrong:
                print(f"without {', '.join(skipped)}: {len(wrong)} violations, such as {wrong[0][:300]}", flush=True)
                return
        self.fail(f"{CONTROL_CUTS} cuts without {skipped} went unnoticed")

    def test_control_without_any_sync_is_found_out(self):
        self.control("meta.sync", "fs.blob.sync", "fs.blob.name_sync")

    def test_control_without_syncs_of_the_log_is_found_out(self):
        self.control("meta.sync")

    def test_control_without_syncs_of_content_is_found_out(self):
        self.control("fs.blob.sync")


if __name__ == "__main__":
    unittest.main()
