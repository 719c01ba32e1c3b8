"""What every S3 client must be able to do, and the base of the scripts that say how each one does it.

A script names its program's commands in a subclass of Client (or MountClient, for programs that mount a
bucket) and asks `suites` for its test classes: the same tests over http and over https, with signatures
checked. The bytes are compared by the client and by our mount. One store a class, one bucket a test.
"""

import os
import shutil
import subprocess
import time
import unittest

from amphora_store import is_mounted
from odd_names import ODD_COMPONENTS
from prelude import (BOOST, SECURE_SCHEMES, client_environment, hash_file, hash_tree, run_client, volume_store,
                     write_random)

LARGE = 20 << 20
MOUNT_LIMIT_S = 30


class Client:
    """One program's commands. Keys and prefixes are relative to `bucket`; a path is a local file or folder."""

    cannot_name = ()  # odd names that the program itself cannot send, or loses
    presigns = True
    program = None

    def __init__(self, store, scratch):
        self.store, self.scratch = store, scratch
        self.environment = client_environment(store) | self.settings()

    def settings(self):
        return {}

    def run(self, *arguments, check=True):
        return run_client([self.program, *arguments], self.environment, check=check)

    def lines(self, *arguments):
        return self.run(*arguments).stdout.splitlines()

    def close(self):
        pass


class MountClient(Client):
    """A program that shows a bucket as a directory, here `self.point`."""

    presigns = False

    def mount_command(self, bucket):
        raise NotImplementedError

    def make_bucket(self, bucket):
        """Such programs make no buckets."""
        self.store.run("bucket", "create", f"/s3v/{bucket}")
        self.point = self.scratch / "mounted"
        self.point.mkdir()
        with open(self.scratch / "log", "wb") as log:
            self.daemon = subprocess.Popen(list(map(str, self.mount_command(bucket))), env=self.environment,
                                           stdout=log, stderr=log)
        limit = time.monotonic() + MOUNT_LIMIT_S
        while not is_mounted(self.point):
            if self.daemon.poll() is not None or time.monotonic() > limit:
                raise AssertionError((self.scratch / "log").read_text(errors="replace"))
            time.sleep(0.05)

    def close(self):
        if is_mounted(self.point):
            subprocess.run(["umount", str(self.point)], check=False)
        if is_mounted(self.point):
            subprocess.run(["umount", "-l", str(self.point)], check=False)
        try:
            self.daemon.wait(20)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()

    def put(self, path, bucket, key):
        (self.point / key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, self.point / key)

    def get(self, bucket, key, path):
        shutil.copyfile(self.point / key, path)

    def names(self, bucket, prefix):
        with os.scandir(self.point / prefix) as entries:
            return {e.name + "/" * e.is_dir() for e in entries}

    def copy(self, bucket, key, other):
        shutil.copyfile(self.point / key, self.point / other)

    def move(self, bucket, key, other):
        os.rename(self.point / key, self.point / other)

    def delete(self, bucket, key):
        os.unlink(self.point / key)

    def upload(self, folder, bucket, prefix):
        shutil.copytree(folder, self.point / prefix, dirs_exist_ok=True, copy_function=shutil.copyfile)

    def download(self, bucket, prefix, folder):
        shutil.copytree(self.point / prefix, folder, dirs_exist_ok=True, copy_function=shutil.copyfile)


class ClientSuite:
    """The tests; `client_type` and `scheme` come from `suites`."""

    client_type = None
    scheme = None
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.store = cls.enterClassContext(volume_store(cls.scheme))
        cls.volume = cls.store.point

    def setUp(self):
        self.bucket = self._testMethodName.removeprefix("test_").replace("_", "-")[:60]
        self.scratch = self.store.directory / self.bucket
        self.scratch.mkdir()
        self.client = self.client_type(self.store, self.scratch)
        self.client.make_bucket(self.bucket)
        self.addCleanup(self.client.close)
        self.point = self.volume / self.bucket
        self.assertTrue(self.point.is_dir(), "the bucket that the client made is not in the mount")

    def tearDown(self):
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def file(self, name, data):
        (self.scratch / name).write_bytes(data)
        return self.scratch / name

    def put(self, key, data):
        self.client.put(self.file("source", data), self.bucket, key)

    def get(self, key):
        target = self.scratch / "target"
        target.unlink(missing_ok=True)
        self.client.get(self.bucket, key, target)
        return target.read_bytes()

    def same_trees(self, found, wanted):
        found, wanted = hash_tree(found), hash_tree(wanted)
        self.assertEqual((sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))), ([], []))
        self.assertEqual(found, wanted)

    def test_small_objects_are_the_same_on_both_faces(self):
        for size in (0, 11, 70_000):
            data = os.urandom(size)
            self.put("deep/small", data)
            self.assertEqual((self.point / "deep/small").read_bytes(), data)
            self.assertEqual(self.get("deep/small"), data)
        (self.point / "deep/other").write_bytes(b"from the mount")
        self.assertEqual(self.get("deep/other"), b"from the mount")

    def test_large_objects_are_the_same_on_both_faces(self):
        source, target = self.scratch / "large", self.scratch / "back"
        write_random(source, LARGE + 4567, seed=self.client_type.__name__)
        self.client.put(source, self.bucket, "large")
        self.assertEqual(hash_file(self.point / "large"), hash_file(source))
        self.client.get(self.bucket, "large", target)
        self.assertEqual(hash_file(target), hash_file(source))

    def test_listing_with_prefix_and_delimiter(self):
        for name in ("a/1", "a/2", "a/b/3", "a/c/4", "other"):
            (self.point / name).parent.mkdir(parents=True, exist_ok=True)
            (self.point / name).write_bytes(name.encode())
        self.assertEqual(self.client.names(self.bucket, "a/"), {"1", "2", "b/", "c/"})
        self.assertEqual(self.client.names(self.bucket, ""), {"a/", "other"})

    def test_copy_move_and_delete(self):
        self.put("one", b"bytes of one")
        self.client.copy(self.bucket, "one", "two")
        self.assertEqual((self.point / "two").read_bytes(), b"bytes of one")
        self.client.move(self.bucket, "two", "three")
        self.assertEqual(sorted(os.listdir(self.point)), ["one", "three"])
        self.assertEqual(self.get("three"), b"bytes of one")
        self.client.delete(self.bucket, "one")
        self.assertEqual(os.listdir(self.point), ["three"])

    def test_a_tree_up_and_down_and_again(self):
        tree, back = self.scratch / "tree", self.scratch / "back"
        shutil.copytree(BOOST / "asio/ip", tree)
        back.mkdir()
        self.client.upload(tree, self.bucket, "tree")
        self.same_trees(self.point / "tree", tree)
        (self.point / "tree/address.hpp").write_bytes(b"changed in the mount, and of another size")
        (self.point / "tree/added").write_bytes(b"added in the mount")
        self.client.download(self.bucket, "tree", back)
        self.same_trees(back, self.point / "tree")
        (tree / "detail" / "new").write_bytes(b"new here")
        self.client.upload(tree, self.bucket, "tree")
        self.assertEqual((self.point / "tree/detail/new").read_bytes(), b"new here")

    def test_odd_names_up_and_down(self):
        names = [n for n in ODD_COMPONENTS if n not in self.client.cannot_name]
        source, back = self.scratch / "source", self.scratch / "back"
        (source / "in a folder+").mkdir(parents=True)
        back.mkdir()
        for name in names:
            (source / name).write_bytes(name.encode())
            (source / "in a folder+" / name).write_bytes(b"also " + name.encode())
        self.client.upload(source, self.bucket, "odd")
        self.same_trees(self.point / "odd", source)
        self.client.download(self.bucket, "odd", back)
        self.same_trees(back, source)

    def test_a_presigned_address_needs_no_credentials(self):
        (self.point / "a b+c").write_bytes(b"presigned")
        url = self.client.presigned(self.bucket, "a b+c")
        curl = ["curl", "-sS", *(["--cacert", self.store.authority] if self.store.authority else [])]
        self.assertEqual(run_client([*curl, "--fail", url], self.store.environ()).stdout, "presigned")
        damaged = run_client([*curl, url + "0"], self.store.environ())
        self.assertIn("<Code>", damaged.stdout)


def suites(client):
    """The test classes of one client, a class a scheme."""
    left_out = {} if client.presigns else {"test_a_presigned_address_needs_no_credentials": None}
    return [type(f"{client.__name__}{scheme.title()}", (ClientSuite, unittest.TestCase),
                 {"client_type": client, "scheme": scheme, "__module__": client.__module__} | left_out)
            for scheme in SECURE_SCHEMES]
