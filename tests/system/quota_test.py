"""Quotas of a bucket from both sides: EDQUOT in the mount, QuotaExceeded at the endpoint, never a byte too
many, never a byte lost that was acknowledged. Root and /dev/fuse are needed."""

import errno
import mmap
import os
import subprocess
import threading
import unittest

from amphora_store import Store

MIB = 1 << 20
QUOTA = 8 * MIB
MODES = {"fast": None, "no passthrough": "nopassthrough", "classic": "noio_uring", "plain": "noio_uring,nopassthrough"}


@unittest.skipUnless(os.geteuid() == 0, "passthrough needs root")
class QuotaTest(unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Store())
        self.store.run("bucket", "create", "/s3v/demo")

    def tearDown(self):
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def set(self, *arguments):
        self.store.run("bucket", "set", "/s3v/demo", *arguments)

    def shown(self):
        return self.store.json("bucket", "show", "/s3v/demo")

    def assert_quota(self, work, *arguments):
        with self.assertRaises(OSError) as caught:
            work(*arguments)
        self.assertEqual(caught.exception.errno, errno.EDQUOT)

    def test_set_and_show(self):
        self.set("--quota-bytes", "10M", "--quota-inodes", "1k")
        shown = self.shown()
        self.assertEqual((shown["quota_bytes"], shown["quota_inodes"]), (10 << 20, 1024))
        text = self.store.run("bucket", "show", "/s3v/demo").stdout
        self.assertRegex(text, r"quota-bytes +10485760\n")
        # Of a link it is the bucket's.
        self.store.run("bucket", "link", "/s3v/demo", "/s3v/other")
        self.store.run("bucket", "set", "/s3v/other", "--quota-bytes", "none")
        self.assertIsNone(self.shown()["quota_bytes"])
        for bad in ("-1", "10X", "1.5G", "9E", "10 M"):
            result = self.store.run("bucket", "set", "/s3v/demo", f"--quota-bytes={bad}", check=False)
            self.assertEqual(result.returncode, 2, bad)
            self.assertIn("--quota-bytes", result.stderr)
        result = self.store.run("bucket", "set", "/s3v/demo", check=False)
        self.assertEqual(result.returncode, 2)
        result = self.store.run("bucket", "set", "/s3v/none", "--quota-bytes", "1", check=False)
        self.assertEqual(result.returncode, 1)
        answer = subprocess.run(
            ["curl", "-sS", "--unix-socket", str(self.store.socket), "-X", "PATCH", "-d", '{"quota_bytes": "many"}',
             "http://amphora/volumes/s3v/buckets/demo"], capture_output=True, check=True).stdout
        self.assertIn(b"quota_bytes is null or a number", answer)
        self.assertEqual(self.shown()["quota_inodes"], 1024)

    def test_df_shows_the_quota(self):
        point = self.store.mount("/s3v/demo")
        whole = self.store.mount("/", name="whole")
        self.set("--quota-bytes", "8M", "--quota-inodes", "100")
        (point / "file").write_bytes(bytes(3 * MIB))
        for path in (point, whole / "s3v/demo"):
            figures = os.statvfs(path)
            self.assertEqual(figures.f_blocks * figures.f_frsize, 8 * MIB)
            self.assertEqual(figures.f_bavail * figures.f_frsize, 5 * MIB)
            self.assertEqual((figures.f_files, figures.f_ffree), (100, 99))
        df = subprocess.run(["df", "--output=size,avail", "-B1", str(point)], capture_output=True, text=True,
                            check=True)
        self.assertEqual(df.stdout.split()[-2:], [str(8 * MIB), str(5 * MIB)])
        figures = os.statvfs(whole)
        self.assertGreater(figures.f_blocks * figures.f_frsize, 100 * MIB)

    def test_whatever_grows_gets_edquot_in_every_mode(self):
        for mode, options in MODES.items():
            with self.subTest(mode=mode):
                point = self.store.mount("/s3v/demo", options=options, name=mode.replace(" ", "-"))
                self.grow(point)

    def grow(self, point):
        self.set("--quota-bytes", str(QUOTA), "--quota-inodes", "3")
        path = point / "file"
        with open(path, "wb", buffering=0) as file:
            written = 0
            while True:
                try:
                    written += file.write(os.urandom(3 * MIB))
                except OSError as error:
                    self.assertEqual(error.errno, errno.EDQUOT)
                    break
            self.assertEqual(written, QUOTA)
            self.assert_quota(os.ftruncate, file.fileno(), QUOTA + 1)
            self.assert_quota(os.posix_fallocate, file.fileno(), 0, QUOTA + 1)
            os.fsync(file.fileno())
        content = path.read_bytes()
        self.assertEqual(len(content), QUOTA)
        self.assertEqual(self.shown()["bytes"], QUOTA)
        # In place it can be written on, by write and through a mapping.
        with open(path, "r+b") as file:
            file.write(b"head")
            with mmap.mmap(file.fileno(), 0) as mapping:
                mapping[-4:] = b"tail"
        self.assertEqual(path.read_bytes(), b"head" + content[4:-4] + b"tail")
        with open(path, "ab", buffering=0) as file:
            self.assert_quota(file.write, b"x")
        (point / "dir").mkdir()
        (point / "empty").touch()
        self.assert_quota((point / "more").mkdir)
        self.assert_quota(os.symlink, "x", point / "link")
        self.assert_quota(os.open, point / "more", os.O_CREAT | os.O_WRONLY)
        os.link(path, point / "second-name")
        (point / "second-name").unlink()
        path.unlink()
        (point / "empty").write_bytes(content)
        (point / "empty").unlink()
        (point / "dir").rmdir()

    def test_readers_in_passthrough_stay_and_writers_are_bound(self):
        point = self.store.mount("/s3v/demo")
        if not self.store.json("status")["mounts"][0]["passthrough"]:
            self.fail("this machine grants no passthrough")
        path = point / "large"
        path.write_bytes(b"x" * (4 * MIB))
        self.set("--quota-bytes", str(5 * MIB))
        with open(path, "rb", buffering=0) as reader:
            before = self.store.json("status")["counters"]
            self.assertEqual(os.pread(reader.fileno(), MIB, 3 * MIB), b"x" * MIB)
            self.assertEqual(self.store.json("status")["counters"]["mount_requests"], before["mount_requests"])
            with open(path, "r+b", buffering=0) as writer:
                os.pwrite(writer.fileno(), b"y" * MIB, 3 * MIB)
                self.assertEqual(os.pread(reader.fileno(), MIB, 3 * MIB), b"y" * MIB)
                self.assertEqual(os.pwrite(writer.fileno(), b"z" * 2 * MIB, 4 * MIB), MIB)
                self.assert_quota(os.pwrite, writer.fileno(), b"z", 5 * MIB)
                self.assertEqual(os.pread(reader.fileno(), MIB, 4 * MIB), b"z" * MIB)
                with mmap.mmap(writer.fileno(), 0) as mapping:
                    mapping[0:5] = b"mmap!"
                    self.assertEqual(os.pread(reader.fileno(), 5, 0), b"mmap!")
            self.assertEqual(self.store.s3.get("/demo/large").body[:5], b"mmap!")
        self.assertEqual(path.stat().st_size, 5 * MIB)

    def test_s3_is_refused_once_and_clearly(self):
        self.set("--quota-bytes", "1M", "--quota-inodes", "10")
        self.assertTrue(self.store.s3.put("/demo/kept", b"k" * 1000).ok)
        for target, body in (("/demo/large", b"x" * (2 * MIB)), ("/demo/kept", b"x" * (2 * MIB))):
            answer = self.store.s3.put(target, body)
            self.assertEqual(answer.status, 403)
            self.assertIn(b"<Code>QuotaExceeded</Code>", answer.body)
        copy = {"x-amz-copy-source": "/demo/kept"}
        self.set("--quota-bytes", "1500")
        self.assertEqual(self.store.s3.request("PUT", "/demo/copy", headers=copy).status, 403)
        begun = self.store.s3.request("POST", "/demo/parts?uploads")
        upload = begun.body.split(b"<UploadId>")[1].split(b"<")[0].decode()
        part = f"/demo/parts?partNumber=1&uploadId={upload}"
        self.assertEqual(self.store.s3.request("PUT", part, b"p" * 501).status, 403)
        self.assertTrue(self.store.s3.request("PUT", part, b"p" * 500).ok)
        self.assertEqual(self.store.s3.put("/demo/more", b"m").status, 403)
        self.assertEqual(self.shown()["part_bytes"], 500)
        self.assertEqual(self.store.s3.request("DELETE", f"/demo/parts?uploadId={upload}").status, 204)
        self.assertTrue(self.store.s3.put("/demo/more", b"m").ok)
        self.assertEqual(self.store.s3.get("/demo/kept").body, b"k" * 1000)
        # The mount is bound by what S3 has put, and the other way round.
        point = self.store.mount("/s3v/demo")
        with open(point / "posix", "wb", buffering=0) as file:
            self.assertEqual(file.write(b"p" * 1000), 499)
        self.assertEqual(self.store.s3.put("/demo/again", b"a").status, 403)

    def test_a_quota_below_what_is_there_only_stops_growth(self):
        point = self.store.mount("/s3v/demo")
        (point / "file").write_bytes(bytes(MIB))
        self.set("--quota-bytes", "1G")
        with open(point / "file", "r+b", buffering=0) as file:
            self.set("--quota-bytes", "10")  # binds handles that are open
            file.write(b"in place")
            self.assert_quota(os.pwrite, file.fileno(), b"x", MIB)
        self.assertEqual(self.store.s3.put("/demo/key", b"x").status, 403)
        os.truncate(point / "file", 20)
        self.assertEqual(self.store.s3.put("/demo/key", b"x").status, 403)
        os.truncate(point / "file", 5)
        self.assertTrue(self.store.s3.put("/demo/key", b"x").ok)

    def test_nothing_acknowledged_is_lost_at_the_quota_by_kill_9(self):
        self.set("--quota-bytes", "2M")
        point = self.store.mount("/s3v/demo")
        acknowledged = {}
        lock = threading.Lock()

        def put(number):
            for n in range(40):
                key = f"k{number}-{n}"
                if self.store.s3.put(f"/demo/{key}", key.encode() * 2000).ok:
                    with lock:
                        acknowledged[key] = key.encode() * 2000

        def write(number):
            for n in range(40):
                name = f"f{number}-{n}"
                try:
                    with open(point / name, "wb", buffering=0) as file:
                        done = file.write(name.encode() * 3000)
                        os.fsync(file.fileno())
                    with lock:
                        acknowledged[name] = (name.encode() * 3000)[:done]
                except OSError as error:
                    self.assertEqual(error.errno, errno.EDQUOT)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(3) for work in (put, write)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.store.kill()
        self.store.unmount_dead()
        self.store.start()
        self.assertLessEqual(self.shown()["bytes"], 2 * MIB)
        self.assertGreater(self.shown()["bytes"], 2 * MIB - 20000)
        for key, content in acknowledged.items():
            self.assertEqual(self.store.s3.get(f"/demo/{key}").body, content, key)
        self.assertEqual(self.store.s3.put("/demo/large", bytes(20000)).status, 403)


if __name__ == "__main__":
    unittest.main()
