"""Everything also works for a user who is not root: data below the home, mounts by fusermount3, no passthrough."""

import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from amphora_store import BINARY, Store, is_mounted

USER = 65534  # nobody


class UserStore(Store):
    """A store of another user, who may see neither this checkout nor root's home: the program and its private
    libfuse are copied."""

    def __init__(self):
        super().__init__(start=False)
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
            os.chown(path, USER, USER)
        self.environment = {"HOME": str(self.home), "LD_LIBRARY_PATH": str(program), "XDG_RUNTIME_DIR": ""}
        self.process_options = {"user": USER, "group": USER, "extra_groups": []}

    def as_user(self, *command):
        return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False,
                              **self.process_options)

    def mount(self, source="/", options=None, name="mnt"):
        point = self.directory / name
        if point not in self.mount_points:
            point.mkdir()
            os.chown(point, USER, USER)
            self.mount_points.append(point)
        self.run("mount", source, point, *(["-o", options] if options else []))
        return point


def setUpModule():
    """Debian's udev opens /dev/fuse to everybody; a container or a bare virtual machine may not."""
    before = os.stat("/dev/fuse").st_mode & 0o777
    os.chmod("/dev/fuse", 0o666)
    unittest.addModuleCleanup(os.chmod, "/dev/fuse", before)


class OrdinaryUserTest(unittest.TestCase):
    def test_both_faces_work(self):
        with UserStore() as store:
            store.start()
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            figures = store.json("status")["mounts"][0]
            self.assertTrue(figures["alive"])
            self.assertFalse(figures["passthrough"])
            self.assertNotEqual(figures["passthrough_reason"], "")
            self.assertTrue(store.s3.put("/abc/from-s3", b"bytes").ok)
            self.assertEqual(store.as_user("cat", point / "from-s3").stdout, "bytes")
            written = store.as_user("sh", "-c", f"head -c 300000 /dev/zero > {point}/large && mkdir {point}/dir && "
                                                f"echo hello > {point}/dir/file && mv {point}/large {point}/dir")
            self.assertEqual((written.returncode, written.stderr), (0, ""))
            self.assertEqual(store.s3.get("/abc/dir/file").body, b"hello\n")
            self.assertEqual(store.s3.get("/abc/dir/large").body, bytes(300000))
            listed = store.as_user("stat", "-c", "%u %a", point / "from-s3").stdout
            self.assertEqual(listed, f"{USER} 644\n")
            self.assertEqual(store.json("check")["findings_total"], 0)
            store.run("umount", point)
            self.assertFalse(is_mounted(point))

    def test_the_end_and_a_killed_daemon_leave_no_mount(self):
        with UserStore() as store:
            store.start()
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            self.assertEqual(store.stop(), 0)
            self.assertFalse(is_mounted(point))
            store.start()
            store.mount("/s3v/abc")
            store.kill()
            self.assertTrue(is_mounted(point))
            store.start()
            store.mount("/s3v/abc")
            self.assertEqual(len(store.json("status")["mounts"]), 1)
            self.assertEqual(store.as_user("ls", point).returncode, 0)

    def test_the_usual_places_are_below_the_home(self):
        with UserStore() as store:
            environment = {**store.environ(), "AMPHORA_S3": "127.0.0.1:0"}

            def amphora(*arguments):
                return subprocess.run([store.binary, *arguments], capture_output=True, text=True, timeout=60,
                                      check=False, env=environment, **store.process_options)

            started = amphora("serve", "--background")
            try:
                self.assertEqual(started.returncode, 0, started.stderr)
                self.assertIn(f"socket={store.home}/.local/share/amphora/amphora.sock", started.stdout)
                self.assertTrue((store.home / ".local/share/amphora/meta").is_dir())
                self.assertTrue((store.home / ".local/state/amphora/amphora.log").is_file())
                self.assertEqual(amphora("bucket", "create", "/s3v/demo").returncode, 0)
            finally:
                stopped = amphora("stop")
            self.assertEqual(stopped.returncode, 0, stopped.stderr)


if __name__ == "__main__":
    unittest.main()
