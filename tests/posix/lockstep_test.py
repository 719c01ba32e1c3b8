"""Random operations in lockstep on the mount and on XFS (tests/posix/lockstep): answers, attributes, how times moved,
content and trees are the same after every step; then by eight processes at once.

A failure prints the seed and a short list of steps; `posix_lockstep MOUNT XFS --seed S --only …` does them again.
AMPHORA_LOCKSTEP_SEED is the seed: the same in each run of the test command, so that a run answers for the change
that it tests; `random`, as in scripts/nightly, looks further. AMPHORA_TEST_SCALE says how much is done: at 10, as
there, 10^6 steps.
"""

import os
import random
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled

LOCKSTEP = Path(os.environ["AMPHORA_LOCKSTEP"])
STEPS = scaled(100_000, 5000)
ASKED_SEED = os.environ.get("AMPHORA_LOCKSTEP_SEED", "1")
SEED = random.randrange(1_000_000_000) if ASKED_SEED == "random" else int(ASKED_SEED)
# Of the steps: most in the mode that users have.
SHARES = dict(zip([mode.name for mode in MODES], (0.4, 0.1, 0.1, 0.1)))
TOGETHER = 0.3
PROCESSES = 8
LIMIT_S = 3600


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root, loop devices and several users")


class LockstepTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(16384))

    def go(self, mode, share, processes=1):
        with posix_mount(self.disk, mode) as mount:
            result = mount.run(LOCKSTEP, mount.point, mount.reference, "--steps", int(STEPS * share), "--seed", SEED,
                               "--processes", processes, check=False, timeout=LIMIT_S)
            print(result.stdout)
            self.assertEqual(result.returncode, 0, result.stdout[-6000:])

    def test_in_every_mode(self):
        for mode in MODES:
            with self.subTest(mode.name):
                self.go(mode, SHARES[mode.name])

    def test_by_several_processes(self):
        self.go(MODES[0], TOGETHER, PROCESSES)


if __name__ == "__main__":
    unittest.main()
