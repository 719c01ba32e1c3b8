"""examples/nginx/amphora.conf on a real nginx: TLS ends there, signatures and presigned addresses hold."""

import datetime
import hashlib
import hmac
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse
from pathlib import Path

from amphora_store import Store
from s3_http import S3
from tls_test import make_certificate

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/nginx/amphora.conf"
DOMAIN = "S3.EXAMPLE.ORG"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def presign(method, host, path, key, expires=300):
    """The query of a presigned address (AWS: authenticating requests, using query parameters)."""
    access_key, secret = key
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/us-east-1/s3/aws4_request"
    query = "&".join(f"{name}={urllib.parse.quote(value, safe='-_.~')}" for name, value in (
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{access_key}/{scope}"),
        ("X-Amz-Date", stamp), ("X-Amz-Expires", str(expires)), ("X-Amz-SignedHeaders", "host")))
    canonical = f"{method}\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signing = b"AWS4" + secret.encode()
    for part in (day, "us-east-1", "s3", "aws4_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return query + "&X-Amz-Signature=" + hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()


class NginxTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.store = Store(["--auth", "keys", "--domain", "s3.example.org", "--trusted-proxy", "127.0.0.1",
                            "--log-level", "debug"])
        self.addCleanup(self.store.close)
        self.store.run("bucket", "create", "/s3v/bucket")
        answer = self.store.json("s3", "getsecret")
        self.pair = answer["awsAccessKey"], answer["awsSecret"]
        self.certificate, self.key = make_certificate(self.directory, "localhost")
        self.port = free_port()
        self.start_nginx()
        self.s3 = S3(f"https://localhost:{self.port}", key=self.pair,
                     tls=ssl.create_default_context(cafile=self.certificate))
        self.addCleanup(self.s3.close)

    def start_nginx(self):
        site = EXAMPLE.read_text()
        for example, here in (
                ("127.0.0.1:9878", urllib.parse.urlsplit(self.store.url).netloc),
                ("443 ssl", f"127.0.0.1:{self.port} ssl"),
                (f"/etc/ssl/certs/{DOMAIN}.crt", str(self.certificate)),
                (f"/etc/ssl/private/{DOMAIN}.key", str(self.key))):
            self.assertIn(example, site)
            site = site.replace(example, here)
        site = site.replace(f"server_name {DOMAIN}", "server_name localhost s3.example.org")
        (self.directory / "site.conf").write_text(site)
        user = "user root;\n" if os.geteuid() == 0 else ""
        main = self.directory / "nginx.conf"
        main.write_text(
            f"daemon off;\nworker_processes 1;\n{user}pid {self.directory}/nginx.pid;\n"
            f"error_log {self.directory}/error.log;\nevents {{}}\nhttp {{\n"
            f"access_log off;\nclient_body_temp_path {self.directory}/body;\n"
            f"proxy_temp_path {self.directory}/proxy;\nfastcgi_temp_path {self.directory}/fastcgi;\n"
            f"uwsgi_temp_path {self.directory}/uwsgi;\nscgi_temp_path {self.directory}/scgi;\n"
            f"include {self.directory}/site.conf;\n}}\n")
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.nginx = subprocess.Popen([nginx, "-p", str(self.directory), "-e",
                                       f"{self.directory}/error.log", "-c", str(main)],
                                      stderr=subprocess.DEVNULL)
        self.addCleanup(self.stop_nginx)
        limit = time.monotonic() + 30
        while True:
            self.assertIsNone(self.nginx.poll(), "nginx ended")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                self.assertLess(time.monotonic(), limit)
                time.sleep(0.05)

    def stop_nginx(self):
        self.nginx.send_signal(signal.SIGTERM)
        self.nginx.wait(timeout=30)

    def test_signed_requests_and_odd_keys_go_through(self):
        body = os.urandom(3_000_000)
        for key in ("plain", "a//b", "sp ace+plus%25", "ä/ö?#&=", "dir/", "./x/../y", "%2F"):
            path = "/bucket/" + urllib.parse.quote(key, safe="/-_.~")
            with self.subTest(key):
                self.assertEqual(self.s3.request("PUT", path, body[: len(key) * 1000]).status, 200)
                answer = self.s3.request("GET", path)
                self.assertEqual((answer.status, answer.body), (200, body[: len(key) * 1000]))
        self.assertEqual(self.s3.put("/bucket/large", body).status, 200)
        self.assertEqual(self.s3.get("/bucket/large").body, body)

    def test_presigned_addresses_open_through_the_proxy_by_path_and_by_host(self):
        self.assertTrue(self.s3.put("/bucket/key", b"presigned").ok)
        plain = S3(f"https://localhost:{self.port}", tls=self.s3.tls)
        self.addCleanup(plain.close)
        host = f"localhost:{self.port}"
        answer = plain.request("GET", "/bucket/key?" + presign("GET", host, "/bucket/key", self.pair))
        self.assertEqual((answer.status, answer.body), (200, b"presigned"))
        put = presign("PUT", host, "/bucket/new", self.pair)
        self.assertEqual(plain.request("PUT", "/bucket/new?" + put, b"by address").status, 200)
        self.assertEqual(self.s3.get("/bucket/new").body, b"by address")
        virtual = f"bucket.s3.example.org:{self.port}"
        answer = plain.request("GET", "/key?" + presign("GET", virtual, "/key", self.pair),
                               headers={"Host": virtual})
        self.assertEqual((answer.status, answer.body), (200, b"presigned"))
        answer = plain.request("GET", "/bucket/new?" + put)
        self.assertEqual(answer.status, 403)

    def test_the_log_tells_the_client_and_not_the_proxy(self):
        host = f"localhost:{self.port}"
        plain = S3(f"https://{host}", tls=self.s3.tls)
        self.addCleanup(plain.close)
        query = presign("GET", host, "/bucket/missing", self.pair)
        answer = plain.request("GET", "/bucket/missing?" + query,
                               headers={"X-Forwarded-For": "203.0.113.1"})
        self.assertEqual(answer.status, 404)
        line = [l for l in self.store.log_path.read_text().splitlines() if "/bucket/missing" in l][-1]
        self.assertIn("client=127.0.0.1", line)  # who spoke to nginx; the made-up one is gone

    def test_the_browsers_address_is_signed_for_the_proxy(self):
        self.assertTrue(self.s3.put("/bucket/dir/key", b"x").ok)
        address = self.store.run("browse", "/s3v/bucket", "--url", f"https://localhost:{self.port}").stdout
        split = urllib.parse.urlsplit(address.strip())
        plain = S3(f"https://localhost:{self.port}", tls=self.s3.tls)
        self.addCleanup(plain.close)
        answer = plain.request("GET", f"{split.path}?{split.query}")
        self.assertEqual(answer.status, 200)
        self.assertIn(f"--endpoint-url https://localhost:{self.port} ".encode(), answer.body)


if __name__ == "__main__":
    unittest.main()
