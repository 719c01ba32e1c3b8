"""SIGTERM drains: requests in flight finish, what begins meanwhile gets 503, mounts end, and nothing is lost."""

import http.client
import signal
import socket
import time
import unittest
import urllib.parse

from amphora_store import Store, is_mounted

LIMIT_S = 30
SIZE = 1 << 20


class SlowPut:
    """A PUT whose body stops half way until it is told to go on."""

    def __init__(self, url, path):
        parts = urllib.parse.urlsplit(url)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=LIMIT_S)
        self.socket.sendall(f"PUT {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {SIZE}\r\n\r\n"
                            .encode() + b"a" * (SIZE // 2))

    def finish(self):
        self.socket.sendall(b"b" * (SIZE - SIZE // 2))
        reply = http.client.HTTPResponse(self.socket)
        reply.begin()
        reply.read()
        self.socket.close()
        return reply.status


def wait_until(condition, what):
    limit = time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"never: {what}")
        time.sleep(0.01)


class DrainTest(unittest.TestCase):
    def ready(self, store):
        return store.s3.request("GET", "/-/ready").status

    def test_requests_in_flight_finish_and_new_ones_get_503(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            (point / "file").write_bytes(b"bytes")
            put = SlowPut(store.url, "/abc/slow")
            received = store.counter("s3_bytes_in")
            wait_until(lambda: store.counter("s3_bytes_in") >= received and
                       store.counter("s3_bytes_in") >= SIZE // 2, "half of the body arrives")
            store.daemon.send_signal(signal.SIGTERM)
            wait_until(lambda: self.ready(store) == 503, "the daemon drains")
            for _ in range(3):
                late = store.s3.put("/abc/late", b"x")
                self.assertEqual(late.status, 503)
                self.assertIn(b"<Code>ServiceUnavailable</Code>", late.body)
                self.assertEqual(late.headers["Retry-After"], "1")
                self.assertEqual(late.headers["Connection"], "close")
            self.assertEqual(store.s3.request("GET", "/-/healthy").status, 200)
            self.assertEqual(put.finish(), 200)
            self.assertEqual(store.wait(), 0)
            self.assertFalse(is_mounted(point))
            store.start()
            self.assertEqual(store.s3.get("/abc/slow").body, b"a" * (SIZE // 2) + b"b" * (SIZE // 2))
            self.assertEqual(store.s3.get("/abc/late").status, 404)
            self.assertEqual(store.s3.get("/abc/file").body, b"bytes")
            self.assertEqual(store.json("check")["findings_total"], 0)

    def test_a_client_that_never_finishes_holds_the_end_up_for_a_bounded_time(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            put = SlowPut(store.url, "/abc/slow")
            wait_until(lambda: store.counter("s3_bytes_in") >= SIZE // 2, "half of the body arrives")
            store.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(store.wait(LIMIT_S), 0)
            put.socket.close()
            store.start()
            self.assertEqual(store.s3.get("/abc/slow").status, 404)

    def test_idle_connections_do_not_hold_it_up(self):
        with Store() as store:
            parts = urllib.parse.urlsplit(store.url)
            idle = [socket.create_connection((parts.hostname, parts.port)) for _ in range(50)]
            wait_until(lambda: b"s3_connections 5" in store.s3.request("GET", "/-/metrics").body,
                       "the connections are open")
            self.assertEqual(store.stop(), 0)
            for connection in idle:
                connection.close()


if __name__ == "__main__":
    unittest.main()
