"""An XFS in a loop-mounted image whose power can be cut: what was not flushed is gone. Root only.

    with PowerDisk() as disk:
        ... disk.point ...
        disk.cut()       # every later write and sync fails with EIO
        disk.restore()   # unmounts, mounts again: XFS recovers its log
"""

import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

# linux/fs.h: FS_IOC_SHUTDOWN is _IOR('X', 125, __u32); 2 is "going down without flushing the log".
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_LOG_FLUSH = 2
UNMOUNT_LIMIT_S = 30


def call(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout.strip()


class PowerDisk:
    def __init__(self, mebibytes=6144):
        self.directory = Path(tempfile.mkdtemp(prefix="amphora-power-"))
        self.image, self.point = self.directory / "image", self.directory / "disk"
        self.device = None
        self.mounted = False
        self.mebibytes = mebibytes

    def __enter__(self):
        try:
            self.point.mkdir()
            with open(self.image, "wb") as image:
                image.truncate(self.mebibytes << 20)
            call("mkfs.xfs", "-q", self.image)
            self.device = call("losetup", "--find", "--show", self.image)
            self.mount()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def mount(self):
        call("mount", "-t", "xfs", self.device, self.point)
        self.mounted = True

    def unmount(self):
        """Waits for the last file that a dying program or a dead mount holds open."""
        limit = time.monotonic() + UNMOUNT_LIMIT_S
        while True:
            try:
                call("umount", self.point)
                break
            except AssertionError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.02)
        self.mounted = False

    def cut(self):
        descriptor = os.open(self.point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def restore(self):
        self.unmount()
        self.mount()

    def close(self):
        try:
            if self.mounted:
                self.unmount()
        except AssertionError as error:
            print(error)
            subprocess.run(["umount", "-l", str(self.point)], check=False)
        if self.device:
            call("losetup", "-d", self.device)
        shutil.rmtree(self.directory, ignore_errors=True)
