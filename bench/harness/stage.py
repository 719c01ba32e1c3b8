"""What a benchmark run needs of the machine, and how all of it is given back.

Everything that is taken (a temporary directory, an XFS image, mounts, processes, a module parameter) is
pushed on one ExitStack, so that every way out (an end, an error, SIGINT, SIGTERM) undoes it in reverse.
Processes are ended by their own pid only.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

URING_PARAMETER = pathlib.Path("/sys/module/fuse/parameters/enable_uring")


class BenchError(Exception):
    """Told in one line; the run ends with exit code 1."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def call(command, **options):
    """Runs a command to its end and returns its standard output; its error text goes into BenchError."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != 0:
        detail = (done.stderr or done.stdout).strip().splitlines()
        raise BenchError(f"`{' '.join(map(str, command))}` failed ({done.returncode}): "
                         f"{detail[-1] if detail else 'no message'}")
    return done.stdout


class Process:
    """A server that this run started. Its output goes to a log in the run's directory."""

    def __init__(self, command, log, environment=None):
        self.name = pathlib.Path(command[0]).name
        self.log = log
        with open(log, "ab") as output:
            self.child = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                          stdout=output, stderr=output, start_new_session=True,
                                          env={**os.environ, **(environment or {})})

    def wait_for_line(self, prefix, seconds=30):
        """The first line of output that starts with `prefix`."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for line in self.log.read_text(errors="replace").splitlines():
                if line.startswith(prefix):
                    return line
            if self.child.poll() is not None:
                break
            time.sleep(0.02)
        tail = self.log.read_text(errors="replace").strip().splitlines()[-3:]
        raise BenchError(f"{self.name} did not say '{prefix}': {' | '.join(tail) or 'no output'}")

    def cpu_seconds(self):
        """Processor time of the process so far, all threads, user and system."""
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, seconds=20):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                say(f"{self.name} (pid {self.child.pid}) ignored SIGTERM for {seconds} s; killing it")
                self.child.kill()
                self.child.wait()


class Place(contextlib.ExitStack):
    """A temporary directory `work`, gone with all that was put on this stack. `disk` is where data goes."""

    def __init__(self, temporary=None):
        super().__init__()
        self.temporary = temporary
        self.counter = 0

    def __enter__(self):
        super().__enter__()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(143))
        try:
            self.work = pathlib.Path(tempfile.mkdtemp(prefix="amphora-bench-", dir=self.temporary))
            self.callback(shutil.rmtree, self.work, ignore_errors=True)
            self.disk = self.work
            self.enable_uring()
        except BaseException:
            self.close()
            raise
        return self

    def enable_uring(self):
        """FUSE over io_uring is a module parameter that is off by default, and root's to change."""
        if not os.access(URING_PARAMETER, os.W_OK):
            return
        before = URING_PARAMETER.read_text().strip()
        if before != "Y":
            URING_PARAMETER.write_text("Y")
            self.callback(URING_PARAMETER.write_text, before)

    def unmount(self, directory):
        for attempt in range(50):
            if not os.path.ismount(directory):
                return
            command = ["umount", str(directory)] if attempt < 49 else ["umount", "-l", str(directory)]
            if subprocess.run(command, capture_output=True).returncode == 0:
                return
            time.sleep(0.1)
        say(f"could not unmount {directory}")

    def directory(self, name, on_disk):
        """A fresh directory."""
        self.counter += 1
        made = (self.disk if on_disk else self.work) / f"{name}-{self.counter}"
        made.mkdir()
        return made

    def log(self, name):
        self.counter += 1
        return self.work / f"{name}-{self.counter}.log"


class Stage(Place):
    """A place whose `disk` is a mounted XFS image, a file system of its own."""

    def __init__(self, image_gib, temporary=None):
        super().__init__(temporary)
        self.image_gib = image_gib

    def __enter__(self):
        super().__enter__()
        try:
            image, self.disk = self.work / "xfs.img", self.work / "disk"
            self.disk.mkdir()
            # Allocated at once: a hole filled while a row runs would be the outer disk's time, not the side's.
            with open(image, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, self.image_gib << 30)
            call(["mkfs.xfs", "-q", image])
            device = self._attach(image)
            try:
                call(["mount", "-o", "noatime", device, self.disk])
                self.callback(self.unmount, self.disk)
            finally:
                call(["losetup", "-d", device])  # in use: it goes with the unmount
        except BaseException:
            self.close()
            raise
        return self

    def _attach(self, image):
        """A loop device, past the outer disk's page cache where that disk can: pages are not kept twice."""
        for extra in (["--direct-io=on"], []):
            done = subprocess.run(["losetup", "--find", "--show", *extra, str(image)], capture_output=True,
                                  text=True)
            if done.returncode == 0:
                return done.stdout.strip()
        raise BenchError(f"no loop device: {done.stderr.strip()}")

    def settle(self):
        """Lets no side pay for what another one left to be written back."""
        call(["sync", "-f", self.disk])
