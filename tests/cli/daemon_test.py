"""The daemon's life: start, status, second start, stop; what every printing command prints."""

import json
import os
import resource
import signal
import socket
import stat
import subprocess
import unittest
from pathlib import Path

from amphora_store import BINARY, StartFailed, Store


def is_running(pid):
    """False also for a process that ended and that nobody has waited for."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as command:
            return bool(command.read())
    except FileNotFoundError:
        return False


class DaemonTest(unittest.TestCase):
    def test_serves_and_tells_the_truth_about_itself(self):
        with Store(["--region", "eu-test-1", "--domain", "s3.example.com"]) as store:
            status = store.json("status")
            self.assertEqual(status["pid"], store.daemon.pid)
            self.assertEqual(status["s3"], {"url": store.url, "auth": "open", "region": "eu-test-1",
                                            "domains": ["s3.example.com"]})
            self.assertEqual(status["store"]["data_directory"], str(store.data))
            self.assertEqual(status["store"]["format"], 2)
            self.assertFalse(status["store"]["poisoned"])
            kind = subprocess.run(["stat", "-f", "-c", "%T", str(store.data)], capture_output=True,
                                  text=True, check=True).stdout.strip()
            self.assertEqual(status["store"]["disk"][:3], kind[:3])
            self.assertEqual(status["mounts"], [])
            before = status["counters"]["s3_requests"]
            self.assertTrue(store.s3.request("GET", "/").ok)
            self.assertEqual(store.counter("s3_requests"), before + 1)
            text = store.run("status").stdout
            self.assertIn(store.url, text)
            self.assertIn(str(store.data), text)

    def test_data_directory_is_private(self):
        with Store() as store:
            self.assertEqual(stat.S_IMODE(os.stat(store.data).st_mode), 0o700)

    def test_curl_can_talk_to_the_control_socket(self):
        with Store() as store:
            answer = subprocess.run(["curl", "-sS", "--unix-socket", str(store.socket),
                                     "http://amphora/volumes"], capture_output=True, check=True).stdout
            self.assertEqual([v["name"] for v in json.loads(answer)["volumes"]], ["s3v"])

    def test_every_printing_command_prints_json(self):
        with Store() as store:
            self.assertEqual(store.json("bucket", "create", "/s3v/abc")["name"], "abc")
            self.assertEqual(store.json("volume", "create", "/projects")["name"], "projects")
            self.assertEqual([v["name"] for v in store.json("volume", "list")], ["projects", "s3v"])
            self.assertEqual(store.json("volume", "show", "/s3v")["buckets"], 1)
            self.assertEqual([b["name"] for b in store.json("bucket", "list")], ["abc"])
            self.assertTrue(store.s3.put("/abc/dir/key", b"12345").ok)
            shown = store.json("bucket", "show", "/s3v/abc")
            self.assertEqual((shown["objects"], shown["bytes"]), (1, 5))
            self.assertEqual(store.json("check")["findings_total"], 0)
            self.assertIn("blobs_removed", store.json("gc"))
            lines = [json.loads(line) for line in store.run("dump", "--json").stdout.splitlines()]
            self.assertTrue(any("key" in line["record"] for line in lines))
            self.assertEqual(set(store.json("s3", "getsecret")), {"awsAccessKey", "awsSecret"})

    def test_version_shows_the_stores_format(self):
        with Store() as store:
            answer = subprocess.run([BINARY, "version", "--json", "--data", str(store.data)],
                                    capture_output=True, check=True).stdout
            self.assertEqual(json.loads(answer)["data_format"], 2)

    def test_names_that_are_taken_or_missing(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            cases = {
                ("bucket", "create", "/s3v/abc"): "bucket /s3v/abc exists already",
                ("bucket", "create", "/nowhere/abc"): "no volume /nowhere",
                ("bucket", "show", "/s3v/nobody"): "/s3v/nobody",
                ("bucket", "delete", "/s3v/nobody"): "/s3v/nobody",
                ("volume", "show", "/nowhere"): "/nowhere",
                ("volume", "delete", "/s3v"): "/s3v",
            }
            for command, wanted in cases.items():
                with self.subTest(command):
                    result = store.run(*command, check=False)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(wanted, result.stderr)
                    self.assertEqual(result.stderr.count("\n"), 1)
            again = store.run("volume", "create", "/s3v")
            self.assertIn("/s3v exists already", again.stdout)
            self.assertTrue(store.s3.put("/abc/key", b"x").ok)
            self.assertEqual(store.run("bucket", "delete", "/s3v/abc", check=False).returncode, 1)
            self.assertTrue(store.s3.delete("/abc/key").ok)
            store.run("bucket", "delete", "/s3v/abc")
            self.assertEqual(store.json("bucket", "list"), [])

    def test_repair_says_that_it_comes_later(self):
        with Store() as store:
            result = store.run("check", "--repair", check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("later release", result.stderr)


class StartTest(unittest.TestCase):
    def second(self, store, *arguments):
        return subprocess.run([BINARY, "serve", *map(str, arguments)], capture_output=True, text=True,
                              timeout=60, env=store.environ(), check=False)

    def test_second_serve_on_one_data_directory_names_the_holder(self):
        with Store() as store:
            result = self.second(store, "--data", store.data, "--s3", "127.0.0.1:0",
                                 "--socket", store.directory / "other.sock")
            self.assertEqual(result.returncode, 1, result.stderr)
            last = result.stderr.splitlines()[-1]
            self.assertIn(str(store.data), last)
            self.assertIn(f"pid {store.daemon.pid}", last)
            self.assertEqual(store.run("status").returncode, 0)

    def test_second_serve_on_one_socket_names_the_holder(self):
        with Store() as store:
            other = store.directory / "other"
            result = self.second(store, "--data", other, "--s3", "127.0.0.1:0", "--socket", store.socket)
            self.assertEqual(result.returncode, 1)
            self.assertIn(f"pid {store.daemon.pid}", result.stderr)
            self.assertFalse(other.exists())
            self.assertEqual(store.run("status").returncode, 0)

    def test_a_used_port_names_its_holder(self):
        with socket.create_server(("127.0.0.1", 0)) as held, Store(start=False) as store:
            port = held.getsockname()[1]
            with self.assertRaises(StartFailed) as failed:
                store.start(listen=f"127.0.0.1:{port}")
            self.assertEqual(failed.exception.code, 1)
            self.assertIn(f"127.0.0.1:{port} is taken: held by pid {os.getpid()}",
                          failed.exception.text)

    def test_every_descriptor_that_the_system_allows_is_used(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
        try:
            with Store() as store:
                limits = Path(f"/proc/{store.daemon.pid}/limits").read_text()
                self.assertRegex(limits, rf"Max open files +{hard} +{hard} ")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    def test_a_failpoint_that_cannot_be_understood_is_named(self):
        with Store(start=False) as store:
            with self.assertRaises(StartFailed) as failed:
                store.start(environment={"AMPHORA_FAILPOINTS": "a=fail;b=frob(3);c=off"})
            self.assertEqual(failed.exception.code, 2)
            self.assertIn("AMPHORA_FAILPOINTS: 'b=frob(3)'", failed.exception.text)
            self.assertFalse(store.data.exists())

    def test_open_mode_listens_on_loopback_only(self):
        with Store(start=False) as store:
            with self.assertRaises(StartFailed) as failed:
                store.start(listen="0.0.0.0:0")
            self.assertEqual(failed.exception.code, 2)
            self.assertIn("0.0.0.0:0", failed.exception.text)

    def test_background_waits_until_ready_and_stop_waits_until_gone(self):
        with Store(start=False) as store:
            result = subprocess.run(store.serve_command("--background", "--log-file",
                                                        str(store.log_path)),
                                    capture_output=True, text=True, timeout=60, env=store.environ(),
                                    check=True)
            self.assertRegex(result.stdout, r"^amphora: ready s3=http://127\.0\.0\.1:\d+ socket=\S+\n$")
            pid = store.json("status")["pid"]
            self.assertEqual(store.run("stop").returncode, 0)
            self.assertFalse(is_running(pid))
            self.assertFalse(store.socket.exists())
            self.assertEqual(store.run("status", check=False).returncode, 3)

    def test_background_tells_why_it_failed(self):
        with Store() as store:
            command = store.serve_command("--background", "--log-file", str(store.log_path))
            result = subprocess.run(command, capture_output=True, text=True, timeout=60,
                                    env=store.environ(), check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn("already answers", result.stderr)

    def test_sigterm_and_sigint_end_it_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Store() as store:
                store.daemon.send_signal(number)
                self.assertEqual(store.wait(), 0)
                self.assertFalse(store.socket.exists())

    def test_data_survive_a_restart(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            self.assertTrue(store.s3.put("/abc/key", b"bytes").ok)
            store.stop()
            store.start()
            self.assertEqual(store.s3.get("/abc/key").body, b"bytes")

    def test_sighup_reopens_the_log_file(self):
        with Store(start=False) as store:
            log = store.directory / "own.log"
            store.start("--log-file", str(log))
            moved = store.directory / "own.log.1"
            log.rename(moved)
            store.daemon.send_signal(signal.SIGHUP)
            store.stop()
            self.assertTrue(log.exists())
            self.assertIn("stopping", log.read_text())


if __name__ == "__main__":
    unittest.main()
