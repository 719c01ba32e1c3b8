"""Everything also works for a user who is not root: data below the home, mounts by fusermount3, no passthrough."""

import subprocess
import unittest
from pathlib import Path

from amphora_store import is_mounted
from user_store import USER, UserStore, open_fuse_to_everybody

FUSE_CONF = Path("/etc/fuse.conf")


def setUpModule():
    unittest.addModuleCleanup(open_fuse_to_everybody())


class OrdinaryUserTest(unittest.TestCase):
    def test_both_faces_work(self):
        with UserStore() as store:
            store.start()
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            self.assertRegex(store.run("status").stdout, r"passthrough +no \(.*CAP_SYS_ADMIN\)")
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

    def test_allow_other_needs_the_permission_of_fuse_conf(self):
        permitted = FUSE_CONF.exists() and "user_allow_other" in FUSE_CONF.read_text().split("\n")
        with UserStore() as store:
            store.start()
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            store.run("umount", point)
            asked = store.run("mount", "/s3v/abc", point, "-o", "allow_other", check=False)
            self.assertEqual(asked.returncode, 0 if permitted else 1, asked.stderr)
            if not permitted:
                self.assertIn("allow_other", asked.stderr)
                self.assertIn("/etc/fuse.conf", asked.stderr)
            self.assertEqual(is_mounted(point), permitted)

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
