"""goofys on our endpoint beside our own mount: the same tasks on both, what each can and how fast; docs/goofys.md.

As a test it checks that the facts in docs/goofys.md still hold. With AMPHORA_GOOFYS_WRITE=1 it also measures,
and writes the page anew.
"""

import os
import re
import shutil
import statistics
import subprocess
import time
import unittest
from pathlib import Path

from amphora_store import BINARY, Store, is_mounted
from file_tasks import TASKS, attempt

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/goofys.md"
GOOFYS = os.environ.get("AMPHORA_GOOFYS", str(ROOT / "build/tools/goofys"))
WRITE = os.environ.get("AMPHORA_GOOFYS_WRITE") == "1"
FILES, LARGE_MIB, ROUNDS = 300, 64, 3
MOUNT_LIMIT_S = 30


def timed(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def forget(point):
    """Asks the file system again: names and pages of other mounts go too, which is the same for all."""
    subprocess.run(["sync", "-f", str(point)], check=False)
    Path("/proc/sys/vm/drop_caches").write_text("3")


def measure(point):
    """Seconds for each row of work, in a fresh directory."""
    folder = point / "work"
    folder.mkdir()
    names = [folder / f"f{i}" for i in range(FILES)]
    large, piece = folder / "large", os.urandom(1 << 20)
    rows = {}

    def write_large():
        with open(large, "wb") as file:
            for _ in range(LARGE_MIB):
                file.write(piece)

    def read_large():
        with open(large, "rb") as file:
            while file.read(1 << 20):
                pass

    rows[f"create {FILES} files of 4 KiB"] = timed(lambda: [n.write_bytes(piece[:4096]) for n in names])
    forget(point)
    rows["list the directory with sizes"] = timed(lambda: [e.stat() for e in os.scandir(folder)])
    forget(point)
    rows["read the files"] = timed(lambda: [n.read_bytes() for n in names])
    rows["stat the files again"] = timed(lambda: [os.stat(n) for n in names])
    rows["rename the files"] = timed(lambda: [os.rename(n, f"{n}-renamed") for n in names])
    rows["rename their directory"] = timed(lambda: os.rename(folder, point / "renamed"))
    folder = point / "renamed"
    rows["remove the files"] = timed(lambda: [os.unlink(folder / f"f{i}-renamed") for i in range(FILES)])
    large = folder / "large"
    rows[f"write {LARGE_MIB} MiB"] = timed(write_large)
    forget(point)
    rows[f"read {LARGE_MIB} MiB"] = timed(read_large)
    shutil.rmtree(folder)
    return rows


TEXT = """# Amphora's mount beside goofys

Written by `tests/system/goofys_comparison_test.py` (`AMPHORA_GOOFYS_WRITE=1`), which otherwise checks that the
facts still hold (label `i4-goofys`). Both file systems show a bucket of one daemon: goofys v0.24.0 with its
defaults through the S3 endpoint, Amphora by its own mount. A task is done when a local disk would have shown
the same. Last written {date}; {machine}.

## What each can

| task | Amphora | goofys |
|---|---|---|
{facts}

## How fast

Medians of {rounds} rounds, sides in turn, in one run on one disk. The kernel had forgotten names and pages before
listing and reading. goofys sends a file at close and waits for the answer, so it is durable then; ours is
durable after fsync, like a local disk's. The daemon was of preset {preset}. Read the ratios, not the milliseconds.

| work | Amphora ms | goofys ms | goofys / Amphora |
|---|---|---|---|
{ratios}
"""


def page(facts, ratios):
    """The text of docs/goofys.md."""
    return TEXT.format(
        date=time.strftime("%Y-%m-%d"), machine=f"{os.cpu_count()} CPUs, Linux {os.uname().release.split('-')[0]}",
        rounds=ROUNDS, preset=Path(BINARY).parent.name,
        facts="\n".join(f"| {task} | {o} | {t} |" for task, (o, t) in facts.items()),
        ratios="\n".join(f"| {row} | {o * 1000:.1f} | {t * 1000:.1f} | {t / o:.1f} |"
                         for row, (o, t) in ratios.items()))


def facts_of(text):
    rows = re.findall(r"^\| (.+?) \| ((?:yes|no).*?) \| ((?:yes|no).*?) \|$", text, re.M)
    return {task: (ours, theirs) for task, ours, theirs in rows}


@unittest.skipUnless(os.geteuid() == 0, "goofys' mount and forgetting the kernel's caches need root")
class GoofysComparisonTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.store = self.enterContext(Store())
        for bucket in ("ours", "theirs"):
            self.store.run("bucket", "create", f"/s3v/{bucket}")
        self.ours = self.store.mount("/s3v/ours", name="ours")
        self.theirs = self.store.directory / "goofys"
        self.theirs.mkdir()
        with open(self.store.directory / "goofys.log", "wb") as log:
            self.goofys = subprocess.Popen([GOOFYS, "-f", "--endpoint", self.store.url, "theirs", self.theirs],
                                           stdout=log, stderr=log, env=self.store.environ(
                                               {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}))
        self.addCleanup(self.end_goofys)
        limit = time.monotonic() + MOUNT_LIMIT_S
        while not is_mounted(self.theirs):
            self.assertIsNone(self.goofys.poll(), (self.store.directory / "goofys.log").read_text())
            self.assertLess(time.monotonic(), limit, "goofys does not mount")
            time.sleep(0.05)

    def end_goofys(self):
        subprocess.run(["umount", "-l", str(self.theirs)], check=False)
        try:
            self.goofys.wait(20)
        except subprocess.TimeoutExpired:
            self.goofys.kill()
            self.goofys.wait()

    def test_the_facts_of_the_page_hold(self):
        facts = {}
        for number, (name, task) in enumerate(TASKS.items()):
            answers = []
            for bucket, point in (("ours", self.ours), ("theirs", self.theirs)):
                folder = point / f"task{number}"
                read = lambda name, b=bucket, f=folder: self.store.s3.get(f"/{b}/{f.name}/{name}").body
                answers.append(attempt(task, folder, read))
            facts[name] = tuple(answers)
        self.assertEqual([n for n, (ours, theirs) in facts.items() if theirs == "yes" != ours], [])
        self.assertEqual(self.store.json("check")["findings_total"], 0)
        if WRITE:
            ratios = self.ratios()
            PAGE.write_text(page(facts, ratios))
            print(f"{PAGE.relative_to(ROOT)} written, by {BINARY}")
        self.assertEqual(facts, facts_of(PAGE.read_text()))

    def ratios(self):
        rounds = [(measure(self.ours), measure(self.theirs)) for _ in range(ROUNDS)]
        return {row: tuple(statistics.median(r[side][row] for r in rounds) for side in (0, 1))
                for row in rounds[0][0]}


if __name__ == "__main__":
    unittest.main()
