"""The mount writes real trees; S3 clients see the same keys, sizes and bytes."""

import os
import subprocess
import unittest

from odd_names import ODD_COMPONENTS
from prelude import (BOOST, BUCKET, REPOSITORY, InteropTest, get_object, hash_file, hash_tree, in_parallel,
                     list_objects, run_client, write_random)


class MountTest(InteropTest):
    def same_by_s3(self, client, folder, every=1):
        """Every file below `folder` of the mount has its key, size and (of each `every`th) bytes."""
        wanted = hash_tree(self.point / folder)
        prefix = f"{folder}/"
        listed = {k: v for k, v in list_objects(client, prefix).items() if not k.endswith("/")}
        links = {k for k in listed if (self.point / k).is_symlink()}
        self.assertEqual({k.removeprefix(prefix): size for k, (size, _) in listed.items() if k not in links},
                         {name: size for name, (size, _) in wanted.items()})
        some = sorted(wanted)[::every]
        self.assertEqual(in_parallel(lambda name: get_object(client, prefix + name), some),
                         [wanted[name] for name in some])

    def test_a_clone_of_this_repository_made_in_the_mount(self):
        git = lambda *a: run_client(["git", "-c", "safe.directory=*", *a], self.store.environ())
        git("clone", "--quiet", "--no-local", REPOSITORY, self.point / "clone")
        git("-C", self.point / "clone", "fsck", "--full", "--strict")
        self.assertEqual(git("-C", self.point / "clone", "status", "--porcelain").stdout, "")
        self.same_by_s3(self.boto(), "clone")

    def test_the_boost_headers_copied_into_the_mount(self):
        run_client(["cp", "-r", BOOST, self.point / "boost"], self.store.environ())
        self.assertEqual(hash_tree(self.point / "boost"), hash_tree(BOOST))
        self.same_by_s3(self.boto(), "boost", every=10)
        run_client(["rm", "-r", self.point / "boost"], self.store.environ())
        self.assertEqual(list_objects(self.boto()), {})

    def test_a_file_of_one_gibibyte(self):
        write_random(self.point / "large", 1 << 30)
        self.assertEqual(get_object(self.boto(), "large"), (1 << 30, hash_file(self.point / "large")))

    def test_odd_names(self):
        client = self.boto()
        for name in ODD_COMPONENTS:
            (self.point / name).write_bytes(name.encode())
        self.assertEqual(sorted(list_objects(client)), sorted(ODD_COMPONENTS))
        for name in ODD_COMPONENTS:
            self.assertEqual(client.get_object(Bucket=BUCKET, Key=name)["Body"].read(), name.encode())
            (self.point / name).unlink()
        self.assertEqual(list_objects(client), {})

    def test_names_that_are_not_utf8_are_listed_percent_encoded(self):
        os.mkdir(os.fsencode(self.point) + b"/d\xff")
        with open(os.fsencode(self.point) + b"/d\xff/f\x01\xfe", "wb") as file:
            file.write(b"bytes")
        answer = self.store.s3.request("GET", f"/{BUCKET}?list-type=2&encoding-type=url")
        self.assertIn(b"<Key>d%FF/f%01%FE</Key>", answer.body)
        self.assertEqual(self.store.s3.request("GET", f"/{BUCKET}/d%FF/f%01%FE").body, b"bytes")

    def test_listing_head_and_get_agree_on_every_kind_of_file(self):
        (self.point / "file").write_bytes(b"bytes")
        os.link(self.point / "file", self.point / "hard link")
        os.symlink("file", self.point / "symlink")
        os.mkfifo(self.point / "fifo")
        (self.point / "directory").mkdir()
        client = self.boto()
        listed = list_objects(client)
        self.assertEqual(sorted(listed), ["directory/", "fifo", "file", "hard link", "symlink"])
        self.assertEqual({k: size for k, (size, _) in listed.items() if size}, {"file": 5, "hard link": 5})
        for key, (size, etag) in listed.items():
            head = client.head_object(Bucket=BUCKET, Key=key)
            self.assertEqual((head["ContentLength"], head["ETag"].strip('"')), (size, etag), key)
            answer = client.get_object(Bucket=BUCKET, Key=key)
            self.assertEqual((len(answer["Body"].read()), answer["ETag"].strip('"')), (size, etag), key)

    def test_each_change_in_the_mount_changes_the_etag(self):
        client = self.boto()
        etags = set()
        for body in (b"one", b"two", b"two, appended"):
            (self.point / "file").write_bytes(body)
            head = client.head_object(Bucket=BUCKET, Key="file")
            self.assertEqual(head["ContentLength"], len(body))
            etags.add(head["ETag"])
        self.assertEqual(len(etags), 3)
        subprocess.run(["chmod", "755", self.point / "file"], check=True)
        self.assertIn(client.head_object(Bucket=BUCKET, Key="file")["ETag"], etags)


if __name__ == "__main__":
    unittest.main()
