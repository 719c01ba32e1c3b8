"""TLS of the S3 endpoint: real handshakes, a new certificate on SIGHUP, and what a wrong file does."""

import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from amphora_store import BINARY, Store
from s3_http import S3


def make_certificate(directory, name, days=2):
    """A self-signed one for localhost and both loopback addresses: (certificate, key)."""
    certificate, key = directory / f"{name}.crt", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", str(key), "-out", str(certificate), "-days", str(days),
                    "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1"],
                   check=True, capture_output=True)
    return certificate, key


class TlsTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.certificate, self.key = make_certificate(self.directory, "first")
        self.store = Store(["--tls-cert", str(self.certificate), "--tls-key", str(self.key)],
                           start=False)
        self.addCleanup(self.store.close)

    def serve(self):
        self.store.start()
        self.store.run("bucket", "create", "/s3v/bucket")
        self.store.s3 = S3(self.store.url, tls=self.trust(self.certificate))
        self.port = int(self.store.url.rsplit(":", 1)[1])

    def trust(self, certificate):
        return ssl.create_default_context(cafile=certificate)

    def served_name(self):
        """The common name of the certificate that a new connection is shown."""
        pem = ssl.get_server_certificate(("127.0.0.1", self.port))
        text = subprocess.run(["openssl", "x509", "-noout", "-subject"], input=pem, text=True,
                              capture_output=True, check=True).stdout
        return text.strip().rpartition("=")[2].strip()

    def await_log(self, words):
        limit = time.monotonic() + 30
        while words not in self.store.log_path.read_text(errors="replace"):
            self.assertLess(time.monotonic(), limit, f"no '{words}' in the log")
            time.sleep(0.02)

    def test_the_ready_line_says_https_and_objects_of_every_size_go_through(self):
        self.serve()
        self.assertTrue(self.store.url.startswith("https://127.0.0.1:"))
        for size in (0, 5, 20_000, 300_000, 5_000_001):
            body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
            self.assertTrue(self.store.s3.put(f"/bucket/{size}", body).ok)
            self.assertEqual(self.store.s3.get(f"/bucket/{size}").body, body)
            part = self.store.s3.get(f"/bucket/{size}", headers={"Range": "bytes=3-4"})
            self.assertEqual((part.status, part.body), (206, body[3:5]) if size else (416, part.body))

    def test_nothing_older_than_tls_1_2_is_spoken(self):
        self.serve()
        for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                               (ssl.TLSVersion.TLSv1_3, True)):
            context = self.trust(self.certificate)
            context.set_ciphers("DEFAULT@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=30) as plain:
                    with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
                        self.assertTrue(works, wrapped.version())
            except (ssl.SSLError, ConnectionResetError):
                self.assertFalse(works, version)

    def test_plain_http_is_told_what_to_do(self):
        self.serve()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request("GET", "/bucket")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 400)
        self.assertIn(b"https://", answer.read())
        # A client that says nothing, or noise, ends alone.
        with socket.create_connection(("127.0.0.1", self.port)) as silent:
            silent.sendall(b"\x16\x03\x01 no handshake")
        self.assertTrue(self.store.s3.request("GET", "/bucket").ok)

    def test_a_new_certificate_is_read_on_sighup_and_open_connections_go_on(self):
        self.serve()
        self.assertEqual(self.served_name(), "first")
        self.assertTrue(self.store.s3.put("/bucket/key", b"before").ok)
        connection = self.store.s3.threads.connection
        before = connection.sock
        second, key = make_certificate(self.directory, "second")
        shutil.copy(second, self.certificate)
        shutil.copy(key, self.key)
        self.store.daemon.send_signal(signal.SIGHUP)
        self.await_log("loaded again")
        self.assertEqual(self.served_name(), "second")
        self.assertEqual(self.store.s3.get("/bucket/key").body, b"before")
        self.assertIs(self.store.s3.threads.connection.sock, before)

    def test_files_that_cannot_be_used_change_nothing(self):
        self.serve()
        self.key.write_text("no key")
        self.store.daemon.send_signal(signal.SIGHUP)
        self.await_log("loaded before stays")
        self.assertIn(str(self.key), self.store.log_path.read_text())
        self.assertEqual(self.served_name(), "first")
        self.assertTrue(self.store.s3.request("GET", "/bucket").ok)

    def test_wrong_files_are_named_before_anything_starts(self):
        other, other_key = make_certificate(self.directory, "other")
        secret = self.directory / "locked.key"
        subprocess.run(["openssl", "ec", "-in", str(self.key), "-aes256", "-passout", "pass:x",
                        "-out", str(secret)], check=True, capture_output=True)
        cases = {
            ("--tls-cert", self.certificate): "both a certificate and a key",
            ("--tls-key", self.key): "both a certificate and a key",
            ("--tls-cert", "/nowhere.crt", "--tls-key", self.key): "/nowhere.crt",
            ("--tls-cert", self.key, "--tls-key", self.key): str(self.key),
            ("--tls-cert", self.certificate, "--tls-key", other_key): "does not belong to",
            ("--tls-cert", self.certificate, "--tls-key", secret): str(secret),
        }
        for flags, wanted in cases.items():
            with self.subTest(wanted):
                result = subprocess.run(
                    [BINARY, "serve", "--data", str(self.directory / "data"), "--socket",
                     str(self.directory / "sock"), "--s3", "127.0.0.1:0", *map(str, flags)],
                    capture_output=True, text=True, timeout=60, env=self.store.environ(), check=False,
                    stdin=subprocess.DEVNULL)
                self.assertEqual(result.returncode, 2, result.stderr)
                self.assertIn(wanted, result.stderr.splitlines()[-1])
                self.assertFalse((self.directory / "data").exists())

    def test_the_aws_cli_with_its_own_certificate_bundle(self):
        self.serve()
        file = self.directory / "file"
        file.write_bytes(os.urandom(100_000))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
            "AWS_ACCESS_KEY_ID": "anyone", "AWS_SECRET_ACCESS_KEY": "anything",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        address = f"https://localhost:{self.port}"

        def aws(*arguments, **more):
            return subprocess.run(["aws", "--endpoint-url", address, *map(str, arguments)], env=environment
                                  | more, capture_output=True, text=True, timeout=120, check=False)

        result = aws("s3", "cp", file, "s3://bucket/key", "--ca-bundle", self.certificate)
        self.assertEqual(result.returncode, 0, result.stderr)
        back = self.directory / "back"
        result = aws("s3", "cp", "s3://bucket/key", back, AWS_CA_BUNDLE=str(self.certificate))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(back.read_bytes(), file.read_bytes())
        self.assertNotEqual(aws("s3", "ls", "s3://bucket").returncode, 0)  # nobody vouches for it


if __name__ == "__main__":
    unittest.main()
