"""A directory over 100,000 objects renamed in the mount: few rows written, and at once true for S3."""

import os
import time
import unittest

from amphora_store import Store
from scale import scaled

FOLDERS = 100
OBJECTS = scaled(1000, 20) * FOLDERS
BY_S3 = 5 * FOLDERS
MAX_ROWS = 10


def settled_writes(store):
    """The counter of rows written, once no background work moves it any more."""
    before = store.counter("store_writes")
    for _ in range(300):
        time.sleep(0.1)
        after = store.counter("store_writes")
        if after == before:
            return after
        before = after
    raise AssertionError("the store never comes to rest")


class RenameTest(unittest.TestCase):
    def test_rename_of_a_directory_over_100_000_objects_writes_ten_rows_at_most(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/big")
            point = store.mount("/s3v/big")
            (point / "old").mkdir()
            made = 0
            for folder in range(FOLDERS):
                directory = point / "old" / f"folder-{folder:03}"
                directory.mkdir()
                for i in range(OBJECTS // FOLDERS - BY_S3 // FOLDERS):
                    os.close(os.open(directory / f"file-{i:05}", os.O_CREAT | os.O_WRONLY, 0o644))
                    made += 1
            for i in range(BY_S3):
                key = f"old/folder-{i % FOLDERS:03}/object-{i:05}"
                self.assertTrue(store.s3.put(f"/big/{key}", str(i).encode()).ok)
                made += 1
            self.assertEqual(made, OBJECTS)

            before = settled_writes(store)
            os.rename(point / "old", point / "new")
            # At once true: no sleep and no retry from here on.
            self.assertEqual(store.s3.list_page("big", prefix="old/")[0], {})
            for i in range(0, BY_S3, 50):
                name = f"folder-{i % FOLDERS:03}/object-{i:05}"
                self.assertEqual(store.s3.get(f"/big/new/{name}").body, str(i).encode())
                self.assertEqual(store.s3.get(f"/big/old/{name}").status, 404)
            keys, prefixes, _ = store.s3.list_page("big", delimiter="/")
            self.assertEqual((keys, prefixes), ({}, ["new/"]))
            written = settled_writes(store) - before
            self.assertLessEqual(written, MAX_ROWS)
            listed = store.s3.list("big", prefix="new/")
            self.assertEqual(sum(not key.endswith("/") for key in listed), OBJECTS)
            self.assertEqual(store.json("check")["findings_total"], 0)


if __name__ == "__main__":
    unittest.main()
