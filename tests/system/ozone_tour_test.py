"""examples/ozone-tour.sh runs as it stands, on port 9878 of a network of its own."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import own_network
from amphora_store import BINARY

ROOT = Path(__file__).resolve().parents[2]
TOOLS = os.environ.get("AMPHORA_TOOLS", str(ROOT / "build/tools"))


@unittest.skipUnless(os.geteuid() == 0, "a network namespace and goofys' mount need root")
class OzoneTourTest(unittest.TestCase):
    def test_every_command_of_the_tour_works(self):
        own_network.enter()
        with tempfile.TemporaryDirectory(prefix="amphora-test-") as home:
            clean = {k: v for k, v in os.environ.items() if not k.startswith(("AMPHORA_", "AWS_"))}
            tour = subprocess.run([ROOT / "examples/ozone-tour.sh"], capture_output=True, text=True, timeout=240,
                                  check=False, env=clean | {
                                      "PATH": f"{Path(BINARY).resolve().parent}:{TOOLS}:/usr/bin:/bin:/usr/sbin:/sbin",
                                      "HOME": home, "TMPDIR": home, "AWS_EC2_METADATA_DISABLED": "true"})
            self.assertEqual(tour.returncode, 0, tour.stdout + tour.stderr)
            self.assertEqual(os.listdir(home), [".aws"] if (Path(home) / ".aws").exists() else [])
        for said in ("volume /s3v exists already", "awsAccessKey=root\nawsSecret=", "PRE folder/\n", " testfile\n",
                     "<title>", "s3g.example:9878/folder/testfile\nwritten by aws\n"):
            self.assertIn(said, tour.stdout)
        # Through goofys and the link, and through our own mount without it.
        self.assertEqual(tour.stdout.count("bucket1/through-the-link\nwritten by aws\n"), 2)


if __name__ == "__main__":
    unittest.main()
