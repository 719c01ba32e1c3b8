"""Who connects or asks without end does not fill the disk with lines of the log: of each kind twenty come at once,
then one a second, and the next one counts those that were left out.
"""

import re
import resource
import socket
import time
import unittest
from urllib.parse import urlsplit

from amphora_store import Store

BURST = 20
MOST_CONNECTIONS = 10_000  # s3/limits.h
LIMIT_S = 60


class FloodTest(unittest.TestCase):
    def setUp(self):
        self.began = time.monotonic()
        self.store = self.enterContext(Store())

    def lines(self, word):
        return [line for line in self.store.log_text().splitlines() if word in line]

    def left_out(self, lines):
        return sum(int(number) for line in lines for number in re.findall(r" left_out_before=(\d+)", line))

    def expect_few(self, lines):
        self.assertGreaterEqual(len(lines), BURST)
        self.assertLessEqual(len(lines), BURST + time.monotonic() - self.began + 1)

    def provoke_until_counted(self, provoke, word):
        """How often it took until a line said how many there were before it."""
        limit = time.monotonic() + LIMIT_S
        provoked = 0
        while not self.left_out(self.lines(word)):
            self.assertLess(time.monotonic(), limit)
            provoke()
            provoked += 1
        return provoked

    def test_of_failed_requests(self):
        self.store.run("bucket", "create", "/s3v/abc")

        def provoke():
            self.assertEqual(self.store.s3.request("GET", "/abc?list-type=2&max-keys=some").status, 400)

        for _ in range(500):
            provoke()
        word = "s3 request failed status=400 code=InvalidArgument"
        self.expect_few(self.lines(word))
        provoked = 500 + self.provoke_until_counted(provoke, word)
        # The last line is written and counted, whatever came between.
        lines = self.lines(word)
        self.assertEqual(len(lines) + self.left_out(lines), provoked)
        self.assertEqual(self.store.s3.request("GET", "/abc?policy").status, 501)
        self.assertEqual(len(self.lines("code=NotImplemented")), 1, "another kind has its own lines")

    def test_of_connections(self):
        address = urlsplit(self.store.url)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        connections = []

        def connect():
            connections.append(socket.create_connection((address.hostname, address.port), timeout=LIMIT_S))

        self.addCleanup(lambda: [connection.close() for connection in connections])
        # Where fewer descriptors are to be had, the daemon has none left for more: another line.
        for _ in range(min(MOST_CONNECTIONS + 300, hard - 50)):
            connect()
        word = "s3 connection refused" if hard > MOST_CONNECTIONS + 500 else "s3 accept failed"

        def provoke():
            connect()
            connections.pop().close()

        self.provoke_until_counted(provoke, word)
        self.expect_few(self.lines(word))
        self.assertGreaterEqual(self.left_out(self.lines(word)), 1)
        while connections:
            connections.pop().close()
        limit = time.monotonic() + LIMIT_S
        while True:
            try:
                self.assertEqual(self.store.s3.request("GET", "/-/healthy").status, 200)
                break
            except (OSError, AssertionError):
                self.assertLess(time.monotonic(), limit, "it serves again")


if __name__ == "__main__":
    unittest.main()
