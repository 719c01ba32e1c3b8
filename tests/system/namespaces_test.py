"""Mounts from other network, mount and user namespaces. Root only."""

import os
import subprocess
import unittest

from amphora_store import BINARY, Store, is_mounted

HEAD = "set -eu; point=$1; socket=$2; amphora=$3\n"


@unittest.skipUnless(os.geteuid() == 0, "namespaces need root")
class NamespacesTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store())
        self.store.run("bucket", "create", "/s3v/demo")
        self.point = self.store.directory / "there"
        self.point.mkdir()

    def tearDown(self):
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def inside(self, flags, script):
        """Runs a script of sh in new namespaces; $point, $socket and $amphora are set."""
        result = subprocess.run(["unshare", *flags, "sh", "-c", HEAD + script, "sh", str(self.point),
                                 str(self.store.socket), os.path.realpath(BINARY)],
                                capture_output=True, text=True, timeout=120, check=False, env=self.store.environ())
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_from_a_network_namespace_the_daemon_mounts_where_it_is(self):
        self.inside(["-n"], "$amphora mount /s3v/demo $point --socket $socket; echo text > $point/file")
        self.assertTrue(is_mounted(self.point))
        self.assertEqual(self.store.s3.get("/demo/file").body, b"text\n")
        self.store.run("umount", self.point)

    def served_there(self, flags):
        self.assertTrue(self.store.s3.put("/demo/object", b"by S3").ok)
        large = os.urandom(3 << 20)
        self.assertTrue(self.store.s3.put("/demo/large", large).ok)
        self.inside(flags, """
$amphora mount /s3v/demo $point -o noexec --socket $socket
grep -q "amphora:/s3v/demo $point fuse.amphora.*noexec" /proc/self/mounts
test "$(cat $point/object)" = "by S3"
echo from there > $point/file
cp $point/large $point/copy
cmp $point/large $point/copy
ln -s file $point/link; mkdir $point/dir; mv $point/dir $point/moved
$amphora status --json --socket $socket | grep -q "mnt:"
$amphora umount $point --socket $socket
test -z "$(ls $point)"
$amphora mount /s3v $point --socket $socket
test "$(cat $point/demo/link)" = "from there"
umount $point
""")
        self.assertFalse(is_mounted(self.point))
        self.assertEqual(self.store.s3.get("/demo/file").body, b"from there\n")
        self.assertEqual(self.store.s3.get("/demo/copy").body, large)
        self.assertTrue(self.store.s3.request("HEAD", "/demo/moved/").ok)

    def test_in_a_mount_namespace_the_program_mounts_and_the_daemon_serves(self):
        self.served_there(["-m"])

    def test_in_a_user_namespace_too(self):
        self.served_there(["-U", "-r", "-m", "-n"])

    def test_s3_changes_are_seen_there(self):
        for flags in (["-m"], ["-U", "-r", "-m"]):
            self.inside(flags, """
$amphora mount /s3v/demo $point --socket $socket
for round in 1 2 3; do
  test ! -e $point/new-$round
  curl -sf -X PUT --data-binary "round $round" URL/demo/key
  curl -sf -X PUT --data-binary "round $round" URL/demo/new-$round
  # Where the daemon may not look into the mount, names are cached for a second.
  sleep 1.1
  test "$(cat $point/key)" = "round $round"
  test "$(cat $point/new-$round)" = "round $round"
  curl -sf -X DELETE URL/demo/new-$round
  sleep 1.1
done
umount $point
""".replace("URL", self.store.url))

    def test_a_namespace_that_goes_takes_its_mount_along(self):
        self.inside(["-U", "-r", "-m"], "$amphora mount /s3v/demo $point --socket $socket; echo x > $point/file")
        self.assertEqual(self.store.s3.get("/demo/file").body, b"x\n")
        self.store.run("mount", "/s3v/demo", self.point)
        self.assertEqual((self.point / "file").read_text(), "x\n")

    def test_the_daemon_stops_although_a_namespace_holds_its_mount(self):
        with subprocess.Popen(["unshare", "-m", "sh", "-c", HEAD + "$amphora mount /s3v/demo $point --socket $socket\n"
                               "cd $point; echo ready; read line; ls $point 2>&1 || echo gone", "sh", str(self.point),
                               str(self.store.socket), os.path.realpath(BINARY)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, env=self.store.environ()) as there:
            self.assertRegex(there.stdout.readline(), "mounted")
            self.assertEqual(there.stdout.readline(), "ready\n")
            self.assertEqual(self.store.stop(), 0)
            there.stdin.write("go on\n")
            there.stdin.close()
            self.assertIn("gone", there.stdout.read())
        self.store.start()


if __name__ == "__main__":
    unittest.main()
