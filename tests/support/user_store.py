"""A store of a user who is not root: mounts by fusermount3, no passthrough. When root runs the tests, that user is
nobody; otherwise it is who runs them.
"""

import os
import re
import shutil
import subprocess

from amphora_store import BINARY, Store

ROOT = os.geteuid() == 0
USER = 65534 if ROOT else os.geteuid()  # nobody


class UserStore(Store):
    """A store of USER. Nobody may see neither this checkout nor root's home: the program and its private libfuse are
    copied."""

    def __init__(self, below=None):
        super().__init__(start=False, below=below)
        program = self.directory / "bin"
        program.mkdir()
        self.binary = shutil.copy(BINARY, program / "amphora")
        linked = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
        for library in re.findall(r"=> (/\S+/libfuse3\.so\S*)", linked):
            shutil.copy(library, program)
        self.home = self.directory / "home"
        self.home.mkdir()
        for path in (self.directory, self.home):
            os.chmod(path, 0o755)
            give_to_user(path)
        self.environment = {"HOME": str(self.home), "LD_LIBRARY_PATH": str(program), "XDG_RUNTIME_DIR": ""}
        if ROOT:
            self.process_options = {"user": USER, "group": USER, "extra_groups": []}

    def as_user(self, *command):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False,
                              **self.process_options)

    def mount(self, source="/", options=None, name="mnt"):
        point = self.directory / name
        if point not in self.mount_points:
            point.mkdir()
            give_to_user(point)
            self.mount_points.append(point)
        self.run("mount", source, point, *(["-o", options] if options else []))
        return point


def give_to_user(path):
    if ROOT:
        os.chown(path, USER, USER)


def open_fuse_to_everybody():
    """Debian's udev opens /dev/fuse to everybody; a container or a bare virtual machine may not, and root can. Answers
    what undoes it."""
    before = os.stat("/dev/fuse").st_mode & 0o777
    if not ROOT or before == 0o666:
        return lambda: None
    os.chmod("/dev/fuse", 0o666)
    return lambda: os.chmod("/dev/fuse", before)
