"""A real daemon on a fresh directory, for tests of the whole program. Standard library only.

    with Store() as store:
        store.run("bucket", "create", "/s3v/demo")
        store.s3.put("/demo/key", b"bytes")

Every store has its own directory, socket and port; leaving the block ends the daemon, its mounts and its
directory. The program comes from the environment variable AMPHORA_BINARY. A daemon that was not killed must
end with 0, and neither it nor a command may print a sanitizer's report: else the test fails, whatever it checks.
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from s3_http import S3
from sanitizers import report_in

BINARY = os.environ.get("AMPHORA_BINARY", "build/dev/amphora")
START_LIMIT_S = 60


class StartFailed(Exception):
    """The daemon ended before it was ready; `code` and `text` say how."""

    def __init__(self, code, text):
        super().__init__(f"exit {code}: {text}")
        self.code, self.text = code, text


class Store:
    """One data directory and, while started, its daemon."""

    def __init__(self, arguments=(), environment=None, start=True, below=None):
        """`below`: the folder to make the store's directory in."""
        self.directory = Path(tempfile.mkdtemp(prefix="amphora-test-", dir=below))
        self.data = self.directory / "data"
        self.socket = self.directory / "amphora.sock"
        self.arguments = list(arguments)
        self.environment = environment or {}
        self.daemon = None
        self.url = None
        self.s3 = None
        self.mount_points = []
        self.binary = BINARY
        self.process_options = {}  # of subprocess: another user
        if start:
            self.start()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and self.log_path.exists():
            print("daemon log:", self.log_text()[-4000:])
        self.close()

    @property
    def log_path(self):
        return self.directory / "log"

    def log_text(self):
        return self.log_path.read_text(errors="replace")

    def expect_no_report(self, text, who):
        report = report_in(text)
        if report:
            raise AssertionError(f"a sanitizer's report of {who}:\n{report}")

    def environ(self, extra=None):
        """No AMPHORA_* variable of the caller reaches the program."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("AMPHORA_")}
        return clean | self.environment | (extra or {})

    def serve_command(self, *arguments, listen="127.0.0.1:0"):
        return [self.binary, "serve", "--data", str(self.data), "--socket", str(self.socket),
                "--s3", listen, *self.arguments, *arguments]

    def start(self, *arguments, environment=None, listen="127.0.0.1:0"):
        """Starts the daemon in the foreground and waits for its one line."""
        with open(self.log_path, "ab") as log:
            self.daemon = subprocess.Popen(self.serve_command(*arguments, listen=listen),
                                           stdout=subprocess.PIPE, stderr=log,
                                           env=self.environ(environment), **self.process_options)
        line = self._first_line()
        match = re.fullmatch(r"amphora: ready s3=(https?://\S+) socket=(\S+)\n", line)
        if not match:
            self.daemon.kill()
            code = self.daemon.wait()
            self.daemon.stdout.close()
            self.daemon = None
            self.expect_no_report(self.log_text(), "the daemon")
            raise StartFailed(code, line + self.log_text()[-2000:])
        self.url = match[1]
        self.s3 = S3(self.url)
        return self

    def _first_line(self):
        text, limit = b"", time.monotonic() + START_LIMIT_S
        while not text.endswith(b"\n") and time.monotonic() < limit:
            if not select.select([self.daemon.stdout], [], [], 1)[0]:
                continue
            piece = os.read(self.daemon.stdout.fileno(), 4096)
            if not piece:
                self.daemon.wait()
                break
            text += piece
        return text.decode()

    def run(self, *arguments, check=True, environment=None, timeout=120):
        """Runs a command of the program against this store; answers the finished process."""
        result = subprocess.run([self.binary, *map(str, arguments), "--socket", str(self.socket)],
                                capture_output=True, text=True, timeout=timeout,
                                env=self.environ(environment), check=False, **self.process_options)
        self.expect_no_report(result.stderr, f"amphora {' '.join(map(str, arguments))}")
        if check and result.returncode != 0:
            raise AssertionError(f"amphora {' '.join(map(str, arguments))}: exit "
                                 f"{result.returncode}: {result.stderr.strip()}")
        return result

    def json(self, *arguments):
        return json.loads(self.run(*arguments, "--json").stdout)

    def counter(self, name):
        return self.json("status")["counters"][name]

    def mount(self, source="/", options=None, name="mnt"):
        point = self.directory / name
        if point not in self.mount_points:
            point.mkdir()
            self.mount_points.append(point)
        extra = ["-o", options] if options else []
        self.run("mount", source, point, *extra)
        return point

    def stop(self):
        """SIGTERM, as systemd sends it; answers the exit code, which is 0."""
        self.daemon.send_signal(signal.SIGTERM)
        return self._reap(must_succeed=True)

    def kill(self):
        """kill -9."""
        self.daemon.kill()
        return self._reap()

    def unmount_dead(self):
        """After kill: the kernel keeps files of the data directory for a mount until that is unmounted."""
        for point in self.mount_points:
            if is_mounted(point):
                subprocess.run(["umount", str(point)], check=True, capture_output=True)

    def wait(self, timeout=60):
        """Waits for a daemon that ends by itself."""
        self.daemon.wait(timeout)
        return self._reap()

    def _reap(self, must_succeed=False):
        if self.s3 is not None:
            self.s3.close()
        code = self.daemon.wait(timeout=120)
        self.daemon.stdout.close()
        self.daemon = None
        if self.log_path.exists():  # uninstall_test removes it
            self.expect_no_report(self.log_text(), "the daemon")
            if must_succeed and code != 0:
                raise AssertionError(f"the daemon ended with {code}: {self.log_text()[-4000:]}")
        return code

    def _end(self):
        """Ends a daemon that still runs; one that ended before did so by itself, and must have succeeded too."""
        self.daemon.terminate()
        try:
            self.daemon.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
        self._reap(must_succeed=True)

    def close(self):
        try:
            if self.daemon is not None:
                self._end()
        finally:
            for point in self.mount_points:
                if is_mounted(point):
                    subprocess.run(["umount", "-l", str(point)], check=False)
            shutil.rmtree(self.directory, ignore_errors=True)


def is_mounted(point):
    """By the kernel's own list: a dead mount is one too."""
    with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
        return any(line.split()[1] == str(point) for line in mounts)
