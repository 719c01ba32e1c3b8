"""Writes one step's result into docs/reliability.md; the other steps' lines stay, each with its own commit.

Usage: reliability.py PAGE STEP passed|FAILED SECONDS DETAIL
"""

import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

STEPS = {
    "asan": "the suite with AddressSanitizer and UndefinedBehaviorSanitizer",
    "tsan": "the suite with ThreadSanitizer, RocksDB built with it too",
    "fuzz": "every parser by libFuzzer, with both sanitizers",
    "tidy": "every source file through clang-tidy",
    "posix": "tests/posix at length: lockstep with XFS, fsx, fio, stress-ng, dbench, real programs",
}

PAGE = """# Reliability: the last run of scripts/nightly

Written by `scripts/nightly`, a line for each step as it ends. A step that has no line never ran whole.
`+` behind a commit: the tree had changes on top of it.

| step | what | result | duration | date | commit | machine |
|---|---|---|---|---|---|---|
{rows}
"""


def git(*arguments):
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def commit(page):
    """The checked-out commit; changes of the page itself do not count."""
    changed = [line[3:] for line in git("status", "--porcelain", "--untracked-files=no").splitlines()]
    return git("rev-parse", "--short=10", "HEAD") + ("+" if [c for c in changed if c != str(page)] else "")


def machine():
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} CPUs, {memory:.0f} GiB, Linux {platform.release()}"


def rows_of(text):
    """Step -> its line of a page."""
    return {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*\|$", text, re.M)}


def row(page, step, outcome, seconds, detail):
    minutes, rest = divmod(int(seconds), 60)
    result = f"{outcome}{': ' if detail else ''}{detail.replace('|', '/')}"
    today = datetime.datetime.now(datetime.timezone.utc).date()
    return (f"| `{step}` | {STEPS[step]} | {result} | {minutes} min {rest} s | {today} | {commit(page)} "
            f"| {machine()} |")


def main():
    page, step, outcome, seconds, detail = Path(sys.argv[1]), *sys.argv[2:6]
    rows = rows_of(page.read_text()) if page.exists() else {}
    rows[step] = row(page, step, outcome, seconds, detail)
    page.write_text(PAGE.format(rows="\n".join(rows[name] for name in STEPS if name in rows)))


if __name__ == "__main__":
    main()
