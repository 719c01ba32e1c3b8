"""Where the endpoint listens and what a Host means, by real resolvers and curl."""

import json
import socket
import subprocess
import unittest
import urllib.parse

from amphora_store import Store
from s3_http import S3


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


def curl(address, *arguments):
    """(status, body)"""
    result = subprocess.run(["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", *arguments, address],
                            capture_output=True, text=True, timeout=60, check=True)
    body, _, status = result.stdout.rpartition("\n")
    return int(status), body


class AddressTest(unittest.TestCase):
    def start(self, listen, *arguments):
        store = Store(arguments, start=False)
        self.addCleanup(store.close)
        store.start(listen=listen)
        store.run("bucket", "create", "/s3v/bucket")
        return store, urllib.parse.urlsplit(store.url).port

    def test_localhost_is_both_loopback_addresses_on_one_port(self):
        store, port = self.start("localhost:0")
        self.assertEqual(store.url, f"http://localhost:{port}")
        self.assertEqual(curl(f"http://localhost:{port}/-/healthy")[0], 200)
        self.assertEqual(curl(f"http://127.0.0.1:{port}/-/healthy")[0], 200)
        if has_ipv6():
            self.assertEqual(curl(f"http://[::1]:{port}/-/healthy")[0], 200)

    def test_an_ipv6_address_stands_in_brackets(self):
        if has_ipv6():
            store, port = self.start("[::1]:0")
            self.assertEqual(store.url, f"http://[::1]:{port}")
            self.assertEqual(store.s3.request("GET", "/bucket").status, 200)
        store = Store(start=False)
        self.addCleanup(store.close)
        result = subprocess.run(store.serve_command(listen="::1:0"), capture_output=True, text=True,
                                timeout=60, env=store.environ(), check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("brackets", result.stderr)

    def test_a_port_that_is_taken_on_one_of_the_two_is_named(self):
        if not has_ipv6():
            return
        with socket.socket(socket.AF_INET6) as taken:
            taken.bind(("::1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            store = Store(start=False)
            self.addCleanup(store.close)
            result = subprocess.run(store.serve_command(listen=f"localhost:{port}"), capture_output=True,
                                    text=True, timeout=60, env=store.environ(), check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"localhost:{port} is taken", result.stderr)

    def test_a_host_below_a_domain_names_a_bucket(self):
        store, port = self.start("localhost:0", "--domain", "s3.example.org", "--domain", "example.org")
        store.run("bucket", "create", "/s3v/a.dotted.name")
        store.s3.put("/bucket/dir/key", b"of bucket")
        store.s3.put("/a.dotted.name/key", b"of the dotted one")
        store.s3.put("/bucket/-/healthy", b"a key like any other")
        cases = {
            "bucket.localhost/dir/key": (200, "of bucket"),
            "BUCKET.LocalHost./dir/key": (200, "of bucket"),
            "bucket.s3.example.org/dir/key": (200, "of bucket"),
            "bucket.example.org/dir/key": (200, "of bucket"),
            "a.dotted.name.s3.example.org/key": (200, "of the dotted one"),
            "bucket.localhost/-/healthy": (200, "a key like any other"),
            "localhost/-/healthy": (200, "healthy\n"),
            "s3.example.org/bucket/dir/key": (200, "of bucket"),
            "example.org/bucket/dir/key": (200, "of bucket"),
            "127.0.0.1/bucket/dir/key": (200, "of bucket"),
        }
        for address, wanted in cases.items():
            host, _, path = address.partition("/")
            with self.subTest(address):
                answer = store.s3.request("GET", f"/{path}", headers={"Host": f"{host}:{port}"})
                self.assertEqual((answer.status, answer.body.decode()), wanted)
        # curl, as browsers do, takes every name below localhost to the loopback address.
        self.assertEqual(curl(f"http://bucket.localhost:{port}/dir/key"), (200, "of bucket"))
        listing = curl(f"http://bucket.localhost:{port}/?list-type=2")[1]
        self.assertIn("<Key>dir/key</Key>", listing)
        self.assertIn("<Name>bucket</Name>", listing)

    def test_a_signature_holds_over_the_host_as_sent(self):
        store, port = self.start("localhost:0", "--auth", "keys", "--domain", "s3.example.org")
        key = json.loads(store.run("s3", "getsecret", "--json").stdout)
        pair = key["awsAccessKey"], key["awsSecret"]
        signed = S3(f"http://127.0.0.1:{port}", key=pair)
        self.addCleanup(signed.close)
        self.assertTrue(signed.put("/bucket/key", b"x").ok)
        # Signed for one host, sent with another.
        signed.host = f"bucket.s3.example.org:{port}"
        connect = signed.threads.connection
        headers = {}
        from s3_http import sign
        sign("GET", signed.host, "/key", headers, b"", pair)
        connect.request("GET", "/key", headers=headers)
        answer = connect.getresponse()
        self.assertEqual((answer.status, answer.read()), (200, b"x"))
        headers["host"] = f"bucket.localhost:{port}"
        connect.request("GET", "/key", headers=headers)
        answer = connect.getresponse()
        self.assertIn(b"SignatureDoesNotMatch", answer.read())

    def test_forwarded_headers_count_from_trusted_proxies_only(self):
        forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.1.2.3"}
        for proxies, wanted in ((["--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.0/8"],
                                 "client=198.51.100.7"), ([], "client=127.0.0.1")):
            with self.subTest(proxies):
                store, _ = self.start("127.0.0.1:0", "--log-level", "debug", *proxies)
                self.assertEqual(store.s3.get("/bucket/missing", headers=forwarded).status, 404)
                self.assertIn(wanted, store.log_path.read_text())

    def test_a_network_that_is_none_is_refused(self):
        store = Store(start=False)
        self.addCleanup(store.close)
        for network in ("10.0.0.0/33", "::/129", "proxy.example.org", "10.0.0.0/", "/8"):
            result = subprocess.run(store.serve_command("--trusted-proxy", network), capture_output=True,
                                    text=True, timeout=60, env=store.environ(), check=False)
            self.assertEqual(result.returncode, 2)
            self.assertIn("--trusted-proxy", result.stderr)


if __name__ == "__main__":
    unittest.main()
