"""A build in the mount: a C++ library by cmake and ninja, its own tests, and a second build that finds nothing to do.

The library is googletest, whose source Debian's libgtest-dev and libgmock-dev bring, with some tests of its own that
are quick to compile. It does the same whatever AMPHORA_TEST_SCALE says.
"""

import os
import shutil
import unittest
from pathlib import Path

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk

SOURCE = Path("/usr/src/googletest")
# Programs of googletest's own tests that link the library's objects and compile quickly.
TESTS = ("gtest_environment_test", "gtest_no_test_unittest", "gtest_premature_exit_test", "gtest_skip_test",
         "googletest-filepath-test", "gtest_repeat_test")
LIMIT_S = 3000
# Neither the cache of the machine's user nor optimization: what is tested is the mount.
ENVIRONMENT = {"CCACHE_DISABLE": "1", "CMAKE_GENERATOR": "Ninja"}


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


class BuildTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(8192))

    def ninja(self, mount, *targets):
        """What it did."""
        return mount.run("ninja", "-C", "build", "-j2", *targets, environment=ENVIRONMENT, timeout=LIMIT_S).stdout

    def expect_nothing_to_do(self, mount, targets):
        self.assertIn("ninja: no work to do.", self.ninja(mount, *targets))

    def build(self, mount):
        shutil.copytree(SOURCE, mount.point / "source")
        mount.run("cmake", "-S", "source", "-B", "build", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O0",
                  "-Dgtest_build_tests=ON", environment=ENVIRONMENT)
        targets = ("gtest_main", "gmock_main", *TESTS)
        self.ninja(mount, *targets)
        self.expect_nothing_to_do(mount, targets)
        said = mount.run("ctest", "--test-dir", "build", "-j2", "--output-on-failure", "-R",
                         "|".join(f"^{each}$" for each in TESTS)).stdout
        self.assertIn("100% tests passed", said)
        return targets

    def test_a_library_is_built_and_its_tests_pass_and_nothing_is_built_twice(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            targets = self.build(mount)
            mount.remount()
            self.expect_nothing_to_do(mount, targets)
            header = mount.point / "source/googletest/src/gtest-internal-inl.h"
            header.write_bytes(header.read_bytes() + b"// changed\n")
            self.assertIn("gtest-all.cc.o", self.ninja(mount, "-n", "-v", *targets))
            self.ninja(mount, *targets)
            self.expect_nothing_to_do(mount, targets)
            self.ninja(mount, "-t", "clean")
            self.assertEqual(list((mount.point / "build").rglob("*.o")), [])


if __name__ == "__main__":
    unittest.main()
