"""The file systems that race: native XFS, the floor, Amphora. Each is a context manager that gives the
directory to work in, and tells afterwards what it really used. A side is fresh at every entry."""
import contextlib
import json
import os
import pathlib
import shutil
import tempfile

from stage import BenchError, Process, call, say

BUCKET = "bench"


class Side(contextlib.ExitStack):
    name = ""

    def __init__(self, stage):
        super().__init__()
        self.stage = stage
        self.process = None

    def cpu_seconds(self):
        return self.process.cpu_seconds() if self.process else 0.0

    def negotiated(self):
        """{'io_uring': …, 'passthrough': …}, None where it does not apply."""
        return {"io_uring": None, "passthrough": None}

    def fresh(self, on_disk):
        made = self.stage.directory(self.name, on_disk)
        self.callback(shutil.rmtree, made, ignore_errors=True)
        return made


class Native(Side):
    name = "native"

    def __enter__(self):
        super().__enter__()
        self.directory = self.fresh(on_disk=True)
        return self


class Floor(Side):
    name = "floor"

    def __init__(self, stage, binary, options=()):
        super().__init__(stage)
        self.binary = binary
        self.options = list(options)

    def __enter__(self):
        super().__enter__()
        data = self.fresh(on_disk=True)
        self.directory = self.fresh(on_disk=False)
        self.status = self.stage.work / "floor.status"
        self.process = Process([self.binary, "--data", data, "--status", self.status, *self.options,
                                self.directory], self.stage.log("floor"))
        self.callback(self.process.stop)
        self.callback(self.stage.unmount, self.directory)
        self.process.wait_for_line("floor: ready")
        return self

    def negotiated(self):
        words = dict(word.split("=") for word in self.status.read_text().split())
        return {key: words[key] == "on" for key in ("io_uring", "passthrough")}


class Ours(Side):
    """`amphora serve` with its S3 endpoint on a free port, and one bucket mounted."""
    name = "ours"

    def __init__(self, stage, binary):
        super().__init__(stage)
        self.binary = binary

    def __enter__(self):
        super().__enter__()
        data = self.fresh(on_disk=True)
        self.directory = self.fresh(on_disk=False)
        # A socket's path has 107 bytes at most, and the work directory may be deep.
        self.socket = pathlib.Path(self.enter_context(short_directory())) / "s"
        self.process = Process([self.binary, "serve", "--data", data, "--s3", "127.0.0.1:0", "--auth",
                                "keys", "--socket", self.socket], self.stage.log("amphora"))
        self.callback(self.process.stop)
        ready = self.process.wait_for_line("amphora: ready")
        words = dict(word.split("=", 1) for word in ready.split() if "=" in word)
        self.url = words["s3"]
        self.command("bucket", "create", f"/s3v/{BUCKET}")
        self.command("mount", f"/s3v/{BUCKET}", self.directory)
        self.callback(self.stage.unmount, self.directory)
        return self

    def command(self, *words):
        return call([self.binary, *words], env={**os.environ, "AMPHORA_SOCKET": str(self.socket)})

    def secret(self):
        """(access key, secret) of the caller."""
        lines = dict(line.split("=", 1) for line in self.command("s3", "getsecret").split())
        return lines["awsAccessKey"], lines["awsSecret"]

    def negotiated(self):
        mounts = find_mounts(json.loads(self.command("status", "--json")))
        for mount in mounts:
            if os.path.realpath(mount.get("directory", "")) == os.path.realpath(self.directory):
                return {"io_uring": mount.get("io_uring"), "passthrough": mount.get("passthrough"),
                        "io_uring_reason": mount.get("io_uring_reason"),
                        "passthrough_reason": mount.get("passthrough_reason")}
        say("`amphora status --json` does not tell of the mount")
        return {"io_uring": None, "passthrough": None}


def find_mounts(status):
    found = status.get("mounts")
    if not isinstance(found, list):
        raise BenchError("`amphora status --json` has no list `mounts`")
    return found


@contextlib.contextmanager
def short_directory():

    with tempfile.TemporaryDirectory(prefix="amphora-bench-", dir="/tmp") as made:
        yield made
