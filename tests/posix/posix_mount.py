"""What the tests of this folder run on: a bucket mounted from a store on XFS, and a folder of the same XFS beside it.

    with PowerDisk() as disk, posix_mount(disk, mode) as mount:
        ... mount.point, mount.reference ...

The mount point's path is short, so that a socket's address in it fits, and other users can reach it.
"""

import contextlib
import dataclasses
import os
import subprocess
import tempfile
from pathlib import Path

from amphora_store import Store, is_mounted
from user_store import USER, UserStore

BUCKET = "/s3v/posix"


@dataclasses.dataclass(frozen=True)
class Mode:
    """How the kernel is served."""
    name: str
    passthrough: bool
    io_uring: bool

    @property
    def options(self):
        words = ["allow_other"]
        if not self.passthrough:
            words.append("nopassthrough")
        if not self.io_uring:
            words.append("noio_uring")
        return ",".join(words)


MODES = (Mode("both", True, True), Mode("passthrough", True, False), Mode("io_uring", False, True),
         Mode("neither", False, False))


@dataclasses.dataclass
class PosixMount:
    store: Store
    point: Path      # a bucket of the store
    reference: Path  # XFS itself
    process_options: dict  # of subprocess: the user who has the mount
    options: list  # of `amphora mount`

    def run(self, *command, check=True, timeout=900, environment=None):
        """A program in the mount; its output, both streams."""
        # env changes the directory as the user: root may not enter another's mount.
        result = subprocess.run(["env", "-C", self.point, *map(str, command)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, errors="replace", timeout=timeout, check=False,
                                env={**os.environ, **(environment or {})}, **self.process_options)
        if check and result.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stdout[-8000:]}")
        return result

    def remount(self):
        """Unmounts, unless a crash did, and mounts again: whatever the kernel had cached is gone."""
        if is_mounted(self.point):
            self.store.run("umount", self.point)
        self.store.run("mount", BUCKET, self.point, *self.options)


def granted(store):
    """(passthrough, io_uring) as the daemon was granted them, not as it asked."""
    figures = store.json("status")["mounts"][0]
    return figures["passthrough"], figures["io_uring"]


@contextlib.contextmanager
def posix_mount(disk, mode=None):
    """A fresh store and its mount; without a mode that of a user who is not root. On leaving, the store is checked."""
    store = Store(below=disk.point, start=False) if mode else UserStore(below=disk.point)
    point = Path(tempfile.mkdtemp(prefix="amp-", dir="/tmp"))
    reference = Path(tempfile.mkdtemp(prefix="reference-", dir=disk.point))
    store.mount_points.append(point)
    for path in (disk.directory, disk.point, store.directory, point):
        os.chmod(path, 0o755)
    os.chmod(reference, 0o777)
    if not mode:
        os.chown(point, USER, USER)
    try:
        with store:
            store.start()
            store.run("bucket", "create", BUCKET)
            options = ["-o", mode.options] if mode else []
            store.run("mount", BUCKET, point, *options)
            if mode and granted(store) != (mode.passthrough, mode.io_uring):
                raise AssertionError(f"the kernel did not grant mode {mode.name}: {granted(store)}")
            if mode:
                os.chmod(point, 0o777)
            yield PosixMount(store, point, reference, store.process_options, options)
            checked = store.json("check")
            if checked["findings_total"] != 0:
                raise AssertionError(f"the store is not whole: {checked}")
    finally:
        if not is_mounted(point):
            point.rmdir()
