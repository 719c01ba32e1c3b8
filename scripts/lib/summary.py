"""Counts what a test run did and prints `N passed, N failed, N skipped`.

Reads ctest's JUnit file, the XML that each GoogleTest program wrote, and the verbose lines of Python's
unittest, so that a skip inside a program counts too. Fails on a failure, and on a skip that the list of
allowed skips does not name. An entry whose reason begins with "a user who is not root" excuses nothing when root ran
the tests. Usage: summary.py REPORTS ALLOWED_SKIPS [UID]      UID: of who ran them, if it is not this user
"""

import os
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

# "test_name (module.Class.test_name) ... ok", or with a docstring on a line between.
UNITTEST = re.compile(r"^(test\w*) \(([\w.]+)\)[^\n]*?(?:\n[^\n]*)?? \.\.\. (ok|FAIL|ERROR|skipped)", re.M)
ORDINARY_USER = "a user who is not root "


def read_allowed(path, uid):
    """Lines `NAME:  reason`; a name may end in `*`."""
    allowed = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, colon, reason = line.partition(":  ")
        if not colon or not reason.strip():
            sys.exit(f"summary: {path} line {number}: 'NAME:  reason' is wanted")
        if uid != 0 or not reason.startswith(ORDINARY_USER):
            allowed.append(name.strip())
    return allowed


def is_allowed(name, allowed):
    return any(name == a or (a.endswith("*") and name.startswith(a[:-1])) for a in allowed)


def gtest_cases(folder):
    """(program, case, outcome) of every GoogleTest report. One that is cut off, by the end of its program, failed."""
    for path in sorted(folder.glob("*.xml")):
        program = re.sub(r"_\d+$", "", path.stem)
        try:
            report = ElementTree.parse(path)
        except ElementTree.ParseError:
            yield program, f"{path.name} is cut off", "failed"
            continue
        for case in report.iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None:
                yield program, name, "failed"
            elif case.get("result") == "skipped" or case.find("skipped") is not None:
                yield program, name, "skipped"
            elif case.get("status") == "run":
                yield program, name, "passed"


def ctest_tests(path):
    """(test, outcome, output) of every test that ctest ran. It writes its report last of all."""
    try:
        report = ElementTree.parse(path)
    except (FileNotFoundError, ElementTree.ParseError):
        sys.exit(f"summary: ctest was broken off before its report was whole ({path}): nothing is counted")
    for case in report.iter("testcase"):
        output = case.findtext("system-out") or ""
        status = case.get("status")
        if status == "run":
            yield case.get("name"), "passed", output
        elif status in ("notrun", "disabled") and case.find("skipped") is not None:
            yield case.get("name"), "skipped", output
        else:
            yield case.get("name"), "failed", output


def collect(reports):
    """Every outcome by its full name. A program that failed counts as a failure by itself too."""
    inside = {}
    for program, case, outcome in gtest_cases(reports / "gtest"):
        inside.setdefault(program, []).append((f"{program}/{case}", outcome))
    words = {"ok": "passed", "FAIL": "failed", "ERROR": "failed", "skipped": "skipped"}
    results = []
    for test, outcome, output in ctest_tests(reports / "ctest.xml"):
        cases = list(inside.get(test, []))
        cases += [(f"{test}/{m[1].split('.', 1)[-1]}", words[m[2]])
                  for m in ((None, x.group(2), x.group(3)) for x in UNITTEST.finditer(output))]
        if outcome != "passed" and not any(o == outcome for _, o in cases):
            cases.append((test, outcome))
        results += cases or [(test, outcome)]
    return results


def main():
    uid = int(sys.argv[3]) if len(sys.argv) > 3 else os.geteuid()
    reports, allowed = Path(sys.argv[1]), read_allowed(Path(sys.argv[2]), uid)
    results = collect(reports)
    if not results:
        sys.exit("summary: no test ran")
    count = {kind: [n for n, o in results if o == kind] for kind in ("passed", "failed", "skipped")}
    for name in count["failed"]:
        print(f"failed: {name}")
    unexpected = [name for name in count["skipped"] if not is_allowed(name, allowed)]
    for name in count["skipped"]:
        note = "NOT in tests/allowed-skips" if name in unexpected else "allowed"
        print(f"skipped ({note}): {name}")
    print(", ".join(f"{len(count[kind])} {kind}" for kind in count))
    return 1 if count["failed"] or unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
