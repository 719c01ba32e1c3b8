"""A store written by a newer release is refused before anything in its directory changes."""

import hashlib
import os
import unittest

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
            self.assertEqual(good, "amphora-store 1\n")
            marker.write_text("amphora-store 2\n")
            before = picture(store.data)
            with self.assertRaises(StartFailed) as refused:
                store.start()
            self.assertEqual(refused.exception.code, 1)
            self.assertIn("newer release", refused.exception.text)
            self.assertIn("format 2", refused.exception.text)
            self.assertEqual(picture(store.data), before)
            marker.write_text(good)
            store.start()
            self.assertEqual(store.s3.get("/abc/key").body, b"bytes")


if __name__ == "__main__":
    unittest.main()
