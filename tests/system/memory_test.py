"""Memory is bounded by the number of requests, not by their size, and slow clients hold sockets, not threads:
64 PUTs and 64 GETs of 256 MiB at once, 1,000 idle connections beside 100 slow ones. The objects are 16 GiB of
bytes that compress, on a btrfs that compresses them.
"""

import contextlib
import http.client
import os
import re
import subprocess
import time
import unittest
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

from amphora_store import BINARY, Store
from sanitizers import sanitizer_of
from scale import scaled
from slow_clients import SlowClients, raise_descriptor_limit

PARALLEL = 64
PIECE = 1 << 20
OBJECT_BYTES = scaled(256, 24) * PIECE
# A sanitizer's shadow and quarantine are resident too: less than the 64 objects together by far, and so still
# a sign that no whole body is kept, but no longer what a user's daemon needs.
LIMIT_BYTES = {None: 512 << 20, "address": 1200 << 20, "thread": 1200 << 20}[sanitizer_of(BINARY)]
IMAGE_GIB = 24


@contextlib.contextmanager
def compressing_disk(directory):
    """A btrfs in a sparse file; root only."""
    image, point = directory / "image", directory / "disk"
    point.mkdir()
    with open(image, "wb") as file:
        file.truncate(IMAGE_GIB << 30)
    subprocess.run(["mkfs.btrfs", "-q", image], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop,compress-force=lzo", image, point], check=True)
    try:
        yield point
    finally:
        subprocess.run(["umount", "-l", point], check=True)


def peak_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmHWM:"))


class MemoryTest(unittest.TestCase):
    def connect(self, store):
        return http.client.HTTPConnection(urllib.parse.urlsplit(store.url).netloc, timeout=600)

    def put(self, store, number):
        piece = bytes([number]) * PIECE
        connection = self.connect(store)
        connection.putrequest("PUT", f"/abc/large-{number}")
        connection.putheader("Content-Length", str(OBJECT_BYTES))
        connection.endheaders()
        for _ in range(OBJECT_BYTES // PIECE):
            connection.send(piece)
        status = connection.getresponse().status
        connection.close()
        return status

    def get(self, store, number):
        """How many bytes came, or None when one of them is another object's."""
        piece, buffer, total = bytes([number]) * PIECE, bytearray(PIECE), 0
        connection = self.connect(store)
        connection.request("GET", f"/abc/large-{number}")
        reply = connection.getresponse()
        while size := reply.readinto(buffer):
            if buffer[:size] != piece[:size]:
                return None
            total += size
        connection.close()
        return total

    @unittest.skipUnless(os.geteuid() == 0, "a disk that compresses needs root")
    def test_64_puts_and_gets_of_256_mib_stay_under_512_mib(self):
        with Store(start=False) as store, compressing_disk(store.directory) as disk:
            store.data = disk / "data"
            store.start()
            try:
                store.run("bucket", "create", "/s3v/abc")
                with ThreadPoolExecutor(PARALLEL) as pool:
                    puts = list(pool.map(lambda i: self.put(store, i), range(PARALLEL)))
                    self.assertEqual(puts, [200] * PARALLEL)
                    after_puts = peak_bytes(store.daemon.pid)
                    gets = list(pool.map(lambda i: self.get(store, i), range(PARALLEL)))
                    self.assertEqual(gets, [OBJECT_BYTES] * PARALLEL)
                peak = peak_bytes(store.daemon.pid)
                print(f"peak resident: {after_puts >> 20} MiB after the PUTs, {peak >> 20} MiB after the GETs")
                self.assertLess(peak, LIMIT_BYTES)
            finally:
                store.stop()

    def connections(self, store):
        page = store.s3.request("GET", "/-/metrics").body.decode()
        return int(re.search(r"^amphora_s3_connections (\d+)$", page, re.M)[1])

    def test_idle_and_slow_clients_keep_nobody_else_from_an_answer(self):
        raise_descriptor_limit()
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            self.assertTrue(store.s3.put("/abc/key", b"k" * 4096).ok)
            self.assertTrue(store.s3.put("/abc/key-large", b"l" * (4 << 20)).ok)
            with SlowClients(store.url, "/abc/key", idle=1000, slow=100) as clients:
                limit = time.monotonic() + 60
                while self.connections(store) < 1000 + 90:  # slow ones come and go
                    self.assertLess(time.monotonic(), limit, "not all connections were taken")
                for i in range(200):
                    answer = store.s3.get("/abc/key")
                    self.assertEqual((answer.status, len(answer.body)), (200, 4096))
                    self.assertTrue(store.s3.put(f"/abc/other-{i}", b"x").ok)
            self.assertGreaterEqual(len(clients.answers), 100)
            self.assertEqual(set(clients.answers), {200})
            self.assertLess(peak_bytes(store.daemon.pid), LIMIT_BYTES)


if __name__ == "__main__":
    unittest.main()
