"""The load of the power cut test: writers by S3 and by the mount, each with what a power cut may leave of it.

An S3 answer covers its change. fsync of a file covers its bytes and name; fsync of a directory covers the
names in it; rename(2) over a file flushes the new one's bytes first. What nobody synced may be missing, but is
never another file's and never what nobody wrote. One writer to a key, so that its order is known.
"""

import contextlib
import os
import re
import xml.etree.ElementTree as ElementTree

from crash_load import ABSENT, Writer, expect_success, write_file
from marked_content import BLOCK, Content, make

BUCKET = "power"
NAMES = 12  # per writer: few enough that overwrites and deletions are common
DIRECTORY = "directory"
SIZES = (0, 100, 4096, 16384, 16385, 60_000, 300_000, 1_200_000)
PART = 5 << 20


def owner_of(key):
    """Whose bytes a key holds: a replacement is written under another name than its own, and travellers move."""
    return re.sub(r"/(new-)?", "/", re.sub(r"/(at\d+)", "/traveller", key))


class PowerWriter(Writer):
    def __init__(self, name, seed, ledger, versions):
        super().__init__(name, seed, ledger)
        self.versions = versions  # an endless count that all writers and rounds share

    def fresh(self, key):
        """(version, size, bytes) of a new content of `key`."""
        version, size = next(self.versions), self.random.choice(SIZES)
        return version, size, make(owner_of(key), version, size)

    def key(self):
        return f"{self.name}/k{self.random.randrange(NAMES)}"


class PutWriter(PowerWriter):
    """PUT and DELETE."""

    def __init__(self, name, seed, ledger, versions, s3):
        super().__init__(name, seed, ledger, versions)
        self.s3 = s3

    def run(self):
        super().run()
        self.s3.close()

    def step(self):
        key = self.key()
        if self.random.random() < 0.25:
            self.ledger.begin(key, ABSENT)
            expect_success(self.s3.delete(f"/{BUCKET}/{key}"), key)
            self.ledger.end(key, ABSENT)
            return
        version, size, data = self.fresh(key)
        outcome = Content.whole(version, size)
        self.ledger.begin(key, outcome)
        expect_success(self.s3.put(f"/{BUCKET}/{key}", data), key)
        self.ledger.end(key, outcome)


class MountPowerWriter(PowerWriter):
    def __init__(self, name, seed, ledger, versions, point):
        super().__init__(name, seed, ledger, versions)
        self.directory = point / name
        self.make_directory(self.directory)

    def make_directory(self, path):
        path.mkdir(exist_ok=True)
        self.sync_directory(path.parent)

    def sync_directory(self, path=None):
        descriptor = os.open(path or self.directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class CreateWriter(MountPowerWriter):
    """New files, each fsynced or only closed; deletions, each with an fsync of the directory."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.made = []

    def step(self):
        if len(self.made) > 4 and self.random.random() < 0.3:
            key = self.made.pop(self.random.randrange(len(self.made)))
            self.ledger.begin(key, ABSENT)
            os.unlink(self.directory / key.split("/")[1])
            self.sync_directory()
            self.ledger.end(key, ABSENT)
            return
        key = f"{self.name}/n{next(self.versions)}"
        version, size, data = self.fresh(key)
        sync = self.random.random() < 0.6
        self.ledger.begin(key, Content.beginning(version, size))
        write_file(self.directory / key.split("/")[1], data, sync)
        if sync:
            self.ledger.end(key, Content.whole(version, size))
        self.made.append(key)


class ReplaceWriter(MountPowerWriter):
    """A new file renamed over the old one; sometimes the directory is fsynced, which makes it certain."""

    def step(self):
        key = self.key()
        name = key.split("/")[1]
        version, size, data = self.fresh(key)
        path, fresh = self.directory / name, self.directory / f"new-{name}"
        sync = not path.exists() or self.random.random() < 0.5
        write_file(fresh, data, sync)
        outcome = Content.whole(version, size)
        self.ledger.begin(key, outcome)
        os.rename(fresh, path)
        if self.random.random() < 0.5:
            self.sync_directory()
            self.ledger.end(key, outcome)


class OverwriteWriter(MountPowerWriter):
    """Blocks overwritten in place and appended through one handle; an fsync makes all of them certain."""

    MOST_BLOCKS = 200

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.files = {}

    def open(self, number, blocks):
        key = f"{self.name}/o{next(self.versions)}"
        version, size = next(self.versions), blocks * BLOCK
        path = self.directory / key.split("/")[1]
        self.ledger.begin(key, Content.beginning(version, size))
        write_file(path, make(key, version, size), sync=True)
        self.ledger.end(key, Content.whole(version, size))
        # Opened again: what exists is written in place, by the kernel itself where it grants that.
        self.files[number] = (key, os.open(path, os.O_RDWR), [version] * blocks, Content.whole(version, size))

    def run(self):
        super().run()
        for _, descriptor, _, _ in self.files.values():
            with contextlib.suppress(OSError):  # the daemon that would answer is gone
                os.close(descriptor)

    def step(self):
        number = self.random.randrange(3)
        if number not in self.files:
            self.open(number, (2, 40, 150)[number])
        key, descriptor, now, before = self.files[number]
        first = self.random.randrange(len(now) + 1)
        count = self.random.randint(1, 8)
        if first + count > (4 if number == 0 else self.MOST_BLOCKS):
            return
        version = next(self.versions)
        grown = max(len(now), first + count)
        changed = range(first, first + count)
        known = before.versions + (frozenset(),) * (grown - len(before.versions))
        possible = Content(before.least, max(before.most, grown * BLOCK),
                           tuple(v | {version} if i in changed else v for i, v in enumerate(known)))
        self.ledger.begin(key, possible)
        os.pwrite(descriptor, make(key, version, count * BLOCK, first), first * BLOCK)
        now[len(now):] = [None] * (grown - len(now))
        now[first : first + count] = [version] * count
        if self.random.random() < 0.4:
            os.fsync(descriptor)
            possible = Content(grown * BLOCK, grown * BLOCK, tuple(frozenset([v]) for v in now))
            self.ledger.end(key, possible)
        self.files[number] = (key, descriptor, now, possible)


class DirectoryWriter(MountPowerWriter):
    """Directories made, removed and renamed, each with an fsync of the one that holds them."""

    def step(self):
        name = f"d{next(self.versions)}"
        first, second = f"{self.name}/{name}/", f"{self.name}/{name}-renamed/"
        self.ledger.begin(first, DIRECTORY)
        os.mkdir(self.directory / name)
        self.sync_directory()
        self.ledger.end(first, DIRECTORY)
        self.ledger.begin(first, ABSENT)
        self.ledger.begin(second, DIRECTORY)
        os.rename(self.directory / name, self.directory / f"{name}-renamed")
        self.sync_directory()
        self.ledger.end(first, ABSENT)
        self.ledger.end(second, DIRECTORY)
        if self.random.random() < 0.7:
            self.ledger.begin(second, ABSENT)
            os.rmdir(self.directory / f"{name}-renamed")
            self.sync_directory()
            self.ledger.end(second, ABSENT)


class TravelWriter(MountPowerWriter):
    """One fsynced file renamed on and on: after a cut it is under exactly one name, no older than the last
    fsync of the directory."""

    SIZE = 50_000

    def __init__(self, *arguments):
        super().__init__(*arguments)
        for name in os.listdir(self.directory):
            os.unlink(self.directory / name)
        self.sync_directory()
        self.synced = self.now = next(self.versions)
        self.version = next(self.versions)
        write_file(self.place(self.now), make(f"{self.name}/traveller", self.version, self.SIZE), sync=True)
        self.ready = True

    def place(self, number):
        return self.directory / f"at{number}"

    def step(self):
        old, self.now = self.now, next(self.versions)
        os.rename(self.place(old), self.place(self.now))
        if self.random.random() < 0.3:
            number = self.now
            self.sync_directory()
            with self.ledger.lock:
                if not self.ledger.cutting:
                    self.synced = number
                    self.ledger.acknowledged += 1

    def violations(self):
        names = os.listdir(self.directory) if self.directory.exists() else []
        numbers = [int(name.removeprefix("at")) for name in names]
        if len(names) != 1 or not self.synced <= numbers[0] <= self.now:
            return [f"{self.name}: found {names}, wanted one name from at{self.synced} to at{self.now}"]
        return []


class CompleteWriter(PutWriter):
    """Multipart uploads of two parts: completed or aborted."""

    def request(self, method, key, query, body=b""):
        return expect_success(self.s3.request(method, f"/{BUCKET}/{key}?{query}", body), key)

    def step(self):
        key = self.key()
        version, size = next(self.versions), PART + self.random.choice((100, 4096, 70_000))
        data = make(owner_of(key), version, size)
        answer = self.request("POST", key, "uploads")
        upload = ElementTree.fromstring(answer.body).findtext("{*}UploadId")
        tags = []
        for number, piece in enumerate((data[:PART], data[PART:]), 1):
            part = self.request("PUT", key, f"partNumber={number}&uploadId={upload}", piece)
            tags.append(next(v for k, v in part.headers.items() if k.lower() == "etag"))
        if self.random.random() < 0.2:
            self.request("DELETE", key, f"uploadId={upload}")
            return
        parts = "".join(f"<Part><PartNumber>{i}</PartNumber><ETag>{tag}</ETag></Part>"
                        for i, tag in enumerate(tags, 1))
        outcome = Content.whole(version, size)
        self.ledger.begin(key, outcome)
        done = self.request("POST", key, f"uploadId={upload}",
                            f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())
        if b"<Error>" in done.body:  # AWS: an error can come after the 200
            raise OSError(key)
        self.ledger.end(key, outcome)
