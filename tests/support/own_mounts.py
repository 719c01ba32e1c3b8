"""A mount namespace of the test's own: what is mounted there nobody else sees, and it goes with the test. Root
only; before the process has threads."""

import ctypes
import os
import subprocess

CLONE_NEWNS = 0x00020000


def enter():
    """For this process and all that it starts afterwards."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare of mounts: " + os.strerror(ctypes.get_errno()))
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)


def make_writable(directory, scratch):
    """Lays a fresh memory file system over `directory`, whose files stay visible."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", scratch], check=True)
    upper, work = scratch / "upper", scratch / "work"
    upper.mkdir()
    work.mkdir()
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                    f"lowerdir={directory},upperdir={upper},workdir={work}", directory], check=True)
