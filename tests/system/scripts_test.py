"""The scripts' own promises: help, wrong use, the package list, the summary that counts skips."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CTEST = """<testsuite><testcase name="unit" status="run"><system-out>x</system-out></testcase>
<testcase name="py" status="run"><system-out>test_a (m.T.test_a) ... ok
test_b (m.T.test_b)
Says something. ... skipped 'no root'
</system-out></testcase>{more}</testsuite>"""
GTEST = """<testsuites><testsuite><testcase name="A" classname="S" status="run" result="completed"/>
<testcase name="B" classname="S" status="run" result="{result}"/></testsuite></testsuites>"""


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60, check=False)


class ScriptsTest(unittest.TestCase):
    def test_help_and_wrong_use(self):
        for name in ("quickstart", "test", "nightly", "try-clean-root", "install-go-tools", "install-rust-tools"):
            with self.subTest(name):
                self.assertIn("Example:", run(ROOT / "scripts" / name, "--help").stdout)
                self.assertEqual(run(ROOT / "scripts" / name, "--frob").returncode, 2)

    def test_ci_runs_the_test_command(self):
        self.assertIn("exec scripts/test\n", (ROOT / ".ci/run").read_text())
        self.assertTrue(os.access(ROOT / ".ci/run", os.X_OK))

    def test_who_cant_become_root_is_told_which_packages_are_missing(self):
        with tempfile.TemporaryDirectory(prefix="amphora-test-") as name:
            # A path with everything but sudo and, for one package, dpkg-query's word.
            tools = Path(name)
            (tools / "dpkg-query").write_text("#!/bin/sh\n/usr/bin/dpkg-query \"$@\" | grep -v ' libpugixml-dev$'\n")
            (tools / "id").write_text("#!/bin/sh\necho 1000\n")
            (tools / "sudo").write_text("#!/bin/sh\nexit 1\n")
            for tool in tools.iterdir():
                tool.chmod(0o755)
            result = run("env", f"PATH={tools}:{os.environ['PATH']}", "bash", "-c",
                         f"root={ROOT}; . {ROOT}/scripts/lib/common.sh; install_packages build")
        self.assertEqual(result.returncode, 1)
        self.assertIn("these Debian packages are missing: libpugixml-dev\n", result.stderr)
        self.assertIn("apt-get install --no-install-recommends libpugixml-dev", result.stderr)

    def test_every_package_has_a_section_and_a_reason_and_is_known(self):
        lines = [x for x in (ROOT / "scripts/lib/packages").read_text().splitlines() if not x.startswith("#")]
        names = []
        for line in lines:
            self.assertRegex(line, r"^(build|run|test|nightly) [a-z0-9.+-]+(=[a-z0-9]+)? +# \S")
            names.append(line.split()[1].split("=")[0])
        self.assertEqual(len(names), len(set(names)))
        wanted = [x.split()[1] for x in lines if not x.startswith("nightly ") and "=" not in x.split()[1]]
        installed = run("dpkg-query", "-W", "-f", "${Package}\n", *wanted)
        self.assertEqual(installed.returncode, 0, installed.stderr)


class ReliabilityPageTest(unittest.TestCase):
    def test_each_step_has_one_line_with_its_newest_result_and_its_commit(self):
        head = run("git", "-C", ROOT, "rev-parse", "--short=10", "HEAD").stdout.strip()
        with tempfile.TemporaryDirectory(prefix="amphora-test-") as name:
            page = Path(name) / "page.md"
            for step, outcome, detail in (("fuzz", "passed", "9 targets"), ("asan", "FAILED", "1 failed"),
                                          ("asan", "passed", "a | b")):
                subprocess.run(["python3", ROOT / "scripts/lib/reliability.py", page, step, outcome, "125", detail],
                               cwd=ROOT, check=True, timeout=60)
            lines = [line for line in page.read_text().splitlines() if line.startswith("| `")]
        self.assertEqual([line.split("|")[1].strip() for line in lines], ["`asan`", "`fuzz`"])
        self.assertIn("| passed: a / b | 2 min 5 s |", lines[0])
        self.assertNotIn("FAILED", lines[0])
        self.assertIn(f"| {head}", lines[1])


class SummaryTest(unittest.TestCase):
    def summary(self, allowed="", result="completed", more="", uid=os.geteuid(), ctest=CTEST, gtest=GTEST):
        with tempfile.TemporaryDirectory(prefix="amphora-test-") as name:
            folder = Path(name)
            (folder / "gtest").mkdir()
            if ctest is not None:
                (folder / "ctest.xml").write_text(ctest.format(more=more))
            (folder / "gtest" / "unit.xml").write_text(gtest.format(result=result))
            (folder / "allowed").write_text(allowed)
            return run("python3", ROOT / "scripts/lib/summary.py", folder, folder / "allowed", uid)

    def last_line(self, result):
        return result.stdout.splitlines()[-1]

    def test_counts_cases_inside_of_programs(self):
        result = self.summary(allowed="py/T.test_b:  needs root\n")
        self.assertEqual(result.returncode, 0, result.stdout)
        self.assertEqual(self.last_line(result), "3 passed, 0 failed, 1 skipped")

    def test_a_skip_that_is_not_allowed_fails(self):
        self.assertEqual(self.summary().returncode, 1)
        result = self.summary(allowed="py/*:  needs root\n", result="skipped")
        self.assertEqual(result.returncode, 1)
        self.assertIn("NOT in tests/allowed-skips): unit/S.B", result.stdout)

    def test_what_only_root_can_run_is_no_skip_of_roots(self):
        allowed = "py/T.test_b:  a user who is not root can't mount a disk\n"
        self.assertEqual(self.summary(allowed, uid=1000).returncode, 0)
        result = self.summary(allowed, uid=0)
        self.assertEqual(result.returncode, 1)
        self.assertIn("NOT in tests/allowed-skips): py/T.test_b", result.stdout)

    def test_a_failed_program_fails(self):
        more = '<testcase name="dead" status="fail"><failure/></testcase>'
        result = self.summary(allowed="py/*:  needs root\n", more=more)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(self.last_line(result), "3 passed, 1 failed, 1 skipped")

    def test_a_run_that_was_broken_off_is_told_in_a_line(self):
        for ctest in (None, "", CTEST[:60]):
            with self.subTest(ctest):
                result = self.summary(ctest=ctest)
                self.assertEqual(result.returncode, 1)
                self.assertEqual(result.stdout, "")
                self.assertRegex(result.stderr, r"^summary: ctest was broken off before .*: nothing is counted\n$")

    def test_a_program_that_ended_in_its_report_failed(self):
        result = self.summary(allowed="py/T.test_b:  needs root\n", gtest=GTEST[:60])
        self.assertEqual(result.returncode, 1)
        self.assertIn("failed: unit/unit.xml is cut off", result.stdout)
        self.assertEqual(self.last_line(result), "1 passed, 1 failed, 1 skipped")

    def test_an_allowed_skip_needs_a_reason(self):
        self.assertNotEqual(self.summary(allowed="py/*\n").returncode, 0)

    def test_the_committed_list_is_well_formed(self):
        for line in (ROOT / "tests/allowed-skips").read_text().splitlines():
            if line and not line.startswith("#"):
                self.assertTrue(re.match(r"\S+:  \S", line), line)


if __name__ == "__main__":
    unittest.main()
