"""Every EIO, EROFS or ENOSPC that a program got leaves one line with path and cause, and the last 20 are in
`amphora status`. Failpoints are the failing disk.
"""

import errno
import os
import unittest

from amphora_store import Store

MOST = 20
LARGE = b"x" * 100_000  # beyond the inline limit: a blob


def failing(number):
    return {"AMPHORA_FAILPOINTS": f"fs.blob.write=fail({number})"}


class TroublesTest(unittest.TestCase):
    def lines(self, store, word):
        return [line for line in store.log_path.read_text().splitlines() if word in line]

    def test_an_error_of_the_mount_is_told_with_the_programs_path_and_the_cause(self):
        for number in (errno.EIO, errno.ENOSPC, errno.EROFS):
            name = errno.errorcode[number]
            with self.subTest(name), Store(environment=failing(number)) as store:
                store.run("bucket", "create", "/s3v/abc")
                whole, point = store.mount("/", name="whole"), store.mount("/s3v/abc")
                for root in (whole / "s3v/abc", point):
                    path = root / f"dir-{root.name}" / "file"
                    path.parent.mkdir()
                    with self.assertRaises(OSError) as refused:
                        path.write_bytes(LARGE)
                    self.assertEqual(refused.exception.errno, number)
                    trouble = store.json("status")["troubles"][-1]
                    self.assertEqual((trouble["error"], trouble["path"]), (name, str(path)))
                    self.assertIn(os.strerror(number), trouble["cause"])
                    self.assertRegex(trouble["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
                    told = [line for line in self.lines(store, "mount request failed") if str(path) in line]
                    self.assertEqual(len(told), 1)
                    self.assertIn(os.strerror(number), told[0])
                text = store.run("status").stdout
                self.assertIn(f"{name}  {path}", text)

    def test_an_error_of_s3_is_told_with_its_resource_and_the_cause(self):
        cases = {errno.EIO: ("500 InternalError", 500), errno.ENOSPC: ("507 StorageFull", 507)}
        for number, (error, status) in cases.items():
            with self.subTest(error), Store(environment=failing(number)) as store:
                store.run("bucket", "create", "/s3v/abc")
                self.assertEqual(store.s3.put("/abc/dir/key", LARGE).status, status)
                trouble = store.json("status")["troubles"][-1]
                self.assertEqual((trouble["error"], trouble["path"]), (error, "/abc/dir/key"))
                self.assertIn(os.strerror(number), trouble["cause"])
                self.assertEqual(len(self.lines(store, "resource=/abc/dir/key")), 1)

    def test_a_name_does_nothing_to_the_terminal(self):
        name = "\x1b[31mred\n\x9b2J"
        with Store(environment=failing(errno.EIO)) as store:
            store.run("bucket", "create", "/s3v/abc")
            path = store.mount("/s3v/abc") / name
            with self.assertRaises(OSError):
                path.write_bytes(LARGE)
            self.assertEqual(store.json("status")["troubles"][-1]["path"], str(path))
            text = store.run("status").stdout
            self.assertIn("/\\x1b[31mred\\x0a\\xc2\\x9b2J", text)
            self.assertFalse({"\x1b", "\x9b"} & set(text))

    def test_the_last_twenty_are_kept(self):
        with Store(environment=failing(errno.EIO)) as store:
            store.run("bucket", "create", "/s3v/abc")
            for i in range(MOST + 5):
                self.assertEqual(store.s3.put(f"/abc/key-{i}", LARGE).status, 500)
            paths = [trouble["path"] for trouble in store.json("status")["troubles"]]
            self.assertEqual(paths, [f"/abc/key-{i}" for i in range(5, MOST + 5)])

    def test_what_is_no_trouble_of_ours_is_not_kept(self):
        with Store() as store:
            store.run("bucket", "create", "/s3v/abc")
            point = store.mount("/s3v/abc")
            self.assertEqual(store.s3.get("/abc/none").status, 404)
            self.assertEqual(store.s3.request("GET", "/abc?policy").status, 501)
            with self.assertRaises(FileNotFoundError):
                (point / "none").read_bytes()
            with self.assertRaises(FileExistsError):
                (point / "dir").mkdir() or (point / "dir").mkdir()
            self.assertEqual(store.json("status")["troubles"], [])
            self.assertNotIn("troubles", store.run("status").stdout)


if __name__ == "__main__":
    unittest.main()
