"""A store written by a newer release is refused before anything in its directory changes; one written by an
older release (stores/format-N.tar.xz) is read, and is one of ours from then on."""

import hashlib
import os
import subprocess
import unittest
from pathlib import Path

from amphora_store import StartFailed, Store


def picture(directory):
    """Every file's path, size, time and content, and every directory's time."""
    seen = {}
    for base, folders, files in os.walk(directory):
        for name in folders + files + ["."]:
            path = os.path.join(base, name)
            status = os.lstat(path)
            content = ""
            if os.path.isfile(path):
                with open(path, "rb") as stream:
                    content = hashlib.sha256(stream.read()).hexdigest()
            seen[path] = (status.st_size, status.st_mtime_ns, status.st_mode, content)
    return seen


class FormatTest(unittest.TestCase):
    def test_a_newer_format_is_refused_and_nothing_is_written(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            self.assertTrue(store.s3.put("/abc/key", b"bytes").ok)
            store.stop()
            marker = store.data / "format"
            good = marker.read_text()
            self.assertEqual(good, "amphora-store 2\n")
            marker.write_text("amphora-store 3\n")
            before = picture(store.data)
            with self.assertRaises(StartFailed) as refused:
                store.start()
            self.assertEqual(refused.exception.code, 1)
            self.assertIn("newer release", refused.exception.text)
            self.assertIn("format 3", refused.exception.text)
            self.assertEqual(picture(store.data), before)
            marker.write_text(good)
            store.start()
            self.assertEqual(store.s3.get("/abc/key").body, b"bytes")

    def test_a_store_of_format_1_is_upgraded_when_it_is_opened(self):
        """It has files by both faces, a link to a bucket, an object of one part and an upload of two parts."""
        with Store(start=False) as store:
            golden = Path(__file__).parent / "stores" / "format-1.tar.xz"
            subprocess.run(["tar", "-C", store.directory, "-xJf", golden], check=True)
            marker = store.data / "format"
            self.assertEqual(marker.read_text(), "amphora-store 1\n")
            store.start()
            self.assertEqual(marker.read_text(), "amphora-store 2\n")
            self.assertEqual(store.log_path.read_text().count("event=store_upgraded from=1 to=2"), 1)
            self.expect_contents(store)
            # As if the machine had stopped before the format was written: nothing is counted twice.
            store.stop()
            marker.write_text("amphora-store 1\n")
            store.start()
            self.assertEqual(marker.read_text(), "amphora-store 2\n")
            self.expect_contents(store)
            store.stop()
            store.start()
            self.assertEqual(store.log_path.read_text().count("event=store_upgraded"), 2)
            self.expect_contents(store)
            self.complete_pending(store)

    def expect_contents(self, store):
        large = b"0123456789abcdef" * 4096
        for key, body in {"small": b"small\n", "dir/large": large, "posix": b"posix\n",
                          "made/hard": b"posix\n", "one": b"B" * 70000}.items():
            self.assertEqual(store.s3.get(f"/old/{key}").body, body, key)
        self.assertEqual(store.s3.get("/link/none").status, 404)
        files = 6 + len(large) + 6 + 70000
        parts = 100 * 1024 + 1000
        shown = store.json("bucket", "show", "/s3v/old")
        self.assertEqual((shown["bytes"], shown["part_bytes"]), (files, parts))
        self.assertIn("consistent", store.run("check").stdout)

    def complete_pending(self, store):
        document = (b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber>"
                    b"<ETag>17fea6e97583648e493e6d8bcd54c8f4</ETag></Part></CompleteMultipartUpload>")
        target = "/old/pending?uploadId=000000000000001bb85e06c3f1bad77c"
        answer = store.s3.request("POST", target, document)
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(store.s3.get("/old/pending").body, b"A" * 100 * 1024)
        self.assertEqual(store.json("bucket", "show", "/s3v/old")["part_bytes"], 0)
        self.assertIn("consistent", store.run("check").stdout)


if __name__ == "__main__":
    unittest.main()
