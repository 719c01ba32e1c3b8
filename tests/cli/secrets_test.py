"""Access keys over the control socket, against the real signature check."""

import os
import pwd
import re
import shutil
import subprocess
import unittest

from amphora_store import BINARY, Store
from s3_http import S3

PRINCIPAL = "testuser/scm@EXAMPLE.COM"


def secret_of(store, *arguments):
    lines = store.run("s3", "getsecret", *arguments).stdout
    match = re.fullmatch(r"awsAccessKey=(\S+)\nawsSecret=([0-9a-f]{64})\n", lines)
    assert match, lines
    return match[1], match[2]


def copy_for_everybody(directory):
    """The program and the libraries that it takes from a home directory, where others can read them."""
    program = directory / "amphora"
    shutil.copy(BINARY, program)
    program.chmod(0o755)
    libraries = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    for name, path in re.findall(r"(\S+) => (\S+)", libraries):
        if not path.startswith(("/lib", "/usr/lib")):
            shutil.copy(path, directory / name)
            (directory / name).chmod(0o755)
    return program


class SecretsTest(unittest.TestCase):
    def test_getsecret_prints_exactly_two_lines_and_the_key_works(self):
        with Store(["--auth", "keys"]) as store:
            store.run("bucket", "create", "/s3v/abc")
            key = secret_of(store)
            self.assertEqual(key[0], pwd.getpwuid(os.geteuid()).pw_name)
            self.assertEqual(secret_of(store), key)
            client = S3(store.url, key)
            self.assertTrue(client.put("/abc/key with space+%", b"bytes").ok)
            self.assertEqual(client.get("/abc/key with space+%").body, b"bytes")
            self.assertEqual(store.s3.get("/abc/key with space+%").status, 403)
            self.assertEqual(S3(store.url, (key[0], "0" * 64)).get("/abc/x").status, 403)
            self.assertEqual(S3(store.url, ("nobody-known", key[1])).get("/abc/x").status, 403)

    def test_a_principal_is_an_access_key(self):
        with Store(["--auth", "keys"]) as store:
            store.run("bucket", "create", "/s3v/abc")
            key = secret_of(store, "--user", PRINCIPAL)
            self.assertEqual(key[0], PRINCIPAL)
            self.assertTrue(S3(store.url, key).put("/abc/key", b"bytes").ok)

    def test_revoked_means_refused_by_the_next_request(self):
        with Store(["--auth", "keys"]) as store:
            store.run("bucket", "create", "/s3v/abc")
            for _ in range(20):
                key = secret_of(store, "--user", PRINCIPAL)
                client = S3(store.url, key)
                self.assertTrue(client.put("/abc/key", b"bytes").ok)
                store.run("s3", "revokesecret", "--user", PRINCIPAL)
                self.assertEqual(client.get("/abc/key").status, 403)
                self.assertNotEqual(secret_of(store, "--user", PRINCIPAL)[1], key[1])
            store.run("s3", "revokesecret", "--user", PRINCIPAL)
            result = store.run("s3", "revokesecret", "--user", PRINCIPAL, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(PRINCIPAL, result.stderr)

    def test_a_key_outlives_the_daemon(self):
        with Store(["--auth", "keys"]) as store:
            store.run("bucket", "create", "/s3v/abc")
            key = secret_of(store)
            store.kill()
            store.start()
            self.assertEqual(secret_of(store), key)
            self.assertTrue(S3(store.url, key).put("/abc/key", b"bytes").ok)

    def test_bad_names_are_refused(self):
        with Store() as store:
            for name in ("a b", "a,b", "ä", "x" * 129, "a\nb"):
                result = store.run("s3", "getsecret", "--user", name, check=False)
                self.assertEqual(result.returncode, 1, name)
                self.assertIn("access key", result.stderr)

    def test_secrets_reach_neither_log_nor_dump(self):
        with Store(["--auth", "keys", "--log-level", "debug"]) as store:
            key = secret_of(store)
            secret = key[1]
            S3(store.url, key).get("/abc/x")
            self.assertNotIn(secret, store.run("dump").stdout)
            store.stop()
            self.assertNotIn(secret, store.log_path.read_text())

    @unittest.skipUnless(os.geteuid() == 0, "needs root to become another user")
    def test_another_local_user_gets_only_their_own_key(self):
        with Store(["--auth", "keys"]) as store:
            store.directory.chmod(0o755)
            program = copy_for_everybody(store.directory)

            def as_nobody(*arguments):
                return subprocess.run([str(program), *arguments, "--socket", str(store.socket)],
                                      capture_output=True, text=True, timeout=60, check=False,
                                      user="nobody", group="nogroup", extra_groups=[],
                                      env=store.environ({"LD_LIBRARY_PATH": str(store.directory)}))

            own = as_nobody("s3", "getsecret")
            self.assertEqual(own.returncode, 0, own.stderr)
            self.assertRegex(own.stdout, r"^awsAccessKey=nobody\nawsSecret=[0-9a-f]{64}\n$")
            for command in (("s3", "getsecret", "--user", "root"), ("s3", "revokesecret", "--user", "root"),
                            ("status",), ("stop",), ("dump",), ("bucket", "create", "/s3v/abc"),
                            ("mount", "/tmp"), ("volume", "list"), ("check",), ("gc",)):
                with self.subTest(command):
                    result = as_nobody(*command)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn("only root", result.stderr)
            self.assertEqual(store.json("bucket", "list"), [])


if __name__ == "__main__":
    unittest.main()
