"""What a sanitizer (address, undefined behaviour, thread) said about a process, and which of them a program was
built with. A program without one never prints such a report, so that the checks cost nothing there.
"""

import functools
import re
import subprocess

REPORT = re.compile(r"^.*(?:(?:ERROR|WARNING|SUMMARY): \w+Sanitizer\b|: runtime error: |Sanitizer:DEADLYSIGNAL).*$",
                    re.M)
LONGEST = 12_000


def report_in(text):
    """The first report within what a process wrote to stderr, with what follows it; None: there is none."""
    found = REPORT.search(text)
    return text[found.start():found.start() + LONGEST] if found else None


@functools.cache
def sanitizer_of(program):
    """'address', 'thread' or None: by the run-time library that it is linked with."""
    linked = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return next((name for name, library in (("address", "libasan.so"), ("thread", "libtsan.so"))
                 if library in linked), None)
