"""What the tests of kill -9 and of power cuts share: a ledger of what may be found afterwards, and writers
that tell it before and after each operation.

An outcome is whatever the test compares: a digest, a description of content, or ABSENT. Thread-safe.
"""

import http.client
import os
import random
import threading

ABSENT = "absent"


class Ledger:
    """For each key the outcomes that may be found: one when nothing is in flight."""

    def __init__(self):
        self.lock = threading.Lock()
        self.allowed = {}
        self.acknowledged = 0
        self.cutting = False  # from now on no answer counts: with the power gone nobody would get it

    def begin(self, key, outcome):
        """An operation that would leave `outcome` starts."""
        with self.lock:
            self.allowed.setdefault(key, {ABSENT}).add(outcome)

    def end(self, key, outcome):
        """It was acknowledged: nothing else may be found from now on."""
        with self.lock:
            if self.cutting:
                return
            self.allowed[key] = {outcome}
            self.acknowledged += 1

    def set_cutting(self, cutting):
        with self.lock:
            self.cutting = cutting

    def settle(self, key, found):
        """After a restart: what was found is the truth now."""
        self.allowed[key] = {found}


def write_file(path, data, sync):
    """Makes or truncates the file, writes all of `data`, fsyncs it if asked, closes it."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view):]
        if sync:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Writer(threading.Thread):
    """One writer; ends at the first operation that the dying daemon cuts off. `interruption` is what it met
    there, `error` what should never happen."""

    def __init__(self, name, seed, ledger):
        super().__init__(name=name, daemon=True)
        self.random = random.Random(seed)
        self.ledger = ledger
        self.error = None
        self.interruption = None

    def run(self):
        try:
            while True:
                self.step()
        except (OSError, http.client.HTTPException) as interruption:
            self.interruption = interruption  # the daemon or its disk is gone, which is the point
        except Exception as error:  # pylint: disable=broad-except
            self.error = error

    def step(self):
        raise NotImplementedError


def expect_success(answer, what):
    """Of an S3 answer: a 5xx means that the end is near, anything else but success is a fault."""
    if answer.status >= 500:
        raise OSError(answer.status)
    if not answer.ok:
        raise AssertionError(f"{what}: {answer.status} {answer.body[:200]!r}")
    return answer
