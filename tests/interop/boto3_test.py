"""boto3 (current, pinned) writes and reads back real trees; the mount shows the same."""

import base64
import hashlib
import os
import unittest

from botocore.exceptions import ClientError
from odd_names import LONG_KEYS, ODD_COMPONENTS, UNPOSIX_KEYS, visible_path
from prelude import (BOOST, BUCKET, PIECE, InteropTest, get_object, hash_file, hash_tree, in_parallel,
                     list_objects, write_random)


def crc(data, reflected_polynomial, size):
    """Bit by bit, so that it shares nothing with the daemon's tables. Big-endian, as headers have it."""
    ones = value = (1 << 8 * size) - 1
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (reflected_polynomial if value & 1 else 0)
    return (value ^ ones).to_bytes(size, "big")


class Boto3Trees(InteropTest):
    tree = BOOST

    def upload(self, client):
        files = [p for p in self.tree.rglob("*") if p.is_file()]
        in_parallel(lambda p: client.put_object(Bucket=BUCKET, Key=f"boost/{p.relative_to(self.tree)}",
                                                Body=p.read_bytes()), files)
        return files

    def test_headers_written_by_boto3_are_in_the_mount_and_read_back(self):
        client = self.boto()
        files = self.upload(client)
        self.assertGreater(len(files), 500)
        wanted = hash_tree(self.tree)
        self.assertEqual(hash_tree(self.point / "boost"), wanted)
        md5 = {f"boost/{p.relative_to(self.tree)}": hashlib.md5(p.read_bytes()).hexdigest() for p in files}
        listed = list_objects(client)
        self.assertEqual(list(listed), sorted(listed, key=str.encode))
        self.assertEqual({key: etag for key, (_, etag) in listed.items()}, md5)
        some = sorted(wanted)[::10]
        self.assertEqual(in_parallel(lambda name: get_object(client, f"boost/{name}"), some),
                         [wanted[name] for name in some])


class Boto3TreesWithKeys(Boto3Trees):
    auth = "keys"
    tree = BOOST / "asio"


class Boto3Names(InteropTest):
    def put_all(self, keys):
        client = self.boto()
        for key in keys:
            client.put_object(Bucket=BUCKET, Key=key, Body=b"bytes of " + key.encode())
        return client

    def check_both_faces(self, keys):
        client = self.put_all(keys)
        listed = list_objects(client)
        self.assertEqual(list(listed), sorted(keys, key=str.encode))
        for key in keys:
            with self.subTest(key=key):
                body = b"bytes of " + key.encode()
                self.assertEqual(client.get_object(Bucket=BUCKET, Key=key)["Body"].read(), body)
                head = client.head_object(Bucket=BUCKET, Key=key)
                self.assertEqual((head["ContentLength"], head["ETag"].strip('"')), listed[key])
                path = self.point / visible_path(key, keys)
                self.assertEqual(path.read_bytes(), body)
                self.assertEqual(path.stat().st_size, len(body))
                self.assertEqual(os.getxattr(path, "user.s3.key"), key.encode())
        return client

    def test_odd_names_are_the_same_on_both_faces(self):
        keys = ODD_COMPONENTS + [f"{name}dir/{name}" for name in ODD_COMPONENTS[:36]] + LONG_KEYS
        client = self.check_both_faces(keys)
        for key in keys:
            client.delete_object(Bucket=BUCKET, Key=key)
        self.assertEqual(os.listdir(self.point), [])

    def test_keys_that_posix_cannot_spell_are_shown_under_their_escapes(self):
        client = self.check_both_faces(UNPOSIX_KEYS)
        shown = [os.path.join(folder, name) for folder, _, names in os.walk(self.point) for name in names]
        self.assertEqual(len(shown), len(UNPOSIX_KEYS))
        client.delete_object(Bucket=BUCKET, Key="beside/below")
        self.assertEqual((self.point / "beside").read_bytes(), b"bytes of beside")
        for key in UNPOSIX_KEYS:
            client.delete_object(Bucket=BUCKET, Key=key)
        self.assertEqual(os.listdir(self.point), [])

    def test_every_delimiter_page_agrees_with_the_flat_listing(self):
        keys = ODD_COMPONENTS + UNPOSIX_KEYS
        client = self.put_all(keys)
        for delimiter in ("/", "e", "@amphora@", "\u00e9"):
            seen = []
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=BUCKET, Delimiter=delimiter, PaginationConfig={"PageSize": 3})
            for page in pages:
                seen += [o["Key"] for o in page.get("Contents", [])]
                seen += [p["Prefix"] for p in page.get("CommonPrefixes", [])]
            wanted = {k[: k.index(delimiter) + len(delimiter)] if delimiter in k else k for k in keys}
            self.assertEqual(sorted(seen), sorted(wanted), delimiter)


class Boto3Bodies(InteropTest):
    def test_a_file_of_one_gibibyte(self):
        source = self.store.directory / "large"
        write_random(source, 1 << 30)
        client = self.boto()
        with open(source, "rb") as body:
            client.put_object(Bucket=BUCKET, Key="large", Body=body)
        wanted = (1 << 30, hash_file(source))
        self.assertEqual(((self.point / "large").stat().st_size, hash_file(self.point / "large")), wanted)
        self.assertEqual(get_object(client, "large"), wanted)
        with open(source, "rb") as file:
            for first, last in ((0, 0), (PIECE - 1, PIECE), ((1 << 30) - 5, (1 << 30) - 1)):
                file.seek(first)
                answer = client.get_object(Bucket=BUCKET, Key="large", Range=f"bytes={first}-{last}")
                self.assertEqual(answer["Body"].read(), file.read(last - first + 1))

    def test_empty_objects_and_directories(self):
        client = self.boto()
        client.put_object(Bucket=BUCKET, Key="empty", Body=b"")
        client.put_object(Bucket=BUCKET, Key="folder/", Body=b"")
        self.assertEqual((self.point / "empty").stat().st_size, 0)
        self.assertTrue((self.point / "folder").is_dir())
        self.assertEqual(get_object(client, "empty")[0], 0)
        self.assertEqual(sorted(list_objects(client)), ["empty", "folder/"])

    def test_metadata_comes_back(self):
        client = self.boto()
        client.put_object(Bucket=BUCKET, Key="m", Body=b"x", Metadata={"one": "1", "two": "a  b"},
                          ContentType="text/x-odd", CacheControl="no-cache", ContentLanguage="de",
                          ContentDisposition='attachment; filename="a b"', ContentEncoding="gzip")
        head = client.head_object(Bucket=BUCKET, Key="m")
        self.assertEqual(head["Metadata"], {"one": "1", "two": "a  b"})
        self.assertEqual([head[k] for k in ("ContentType", "CacheControl", "ContentLanguage",
                                            "ContentDisposition", "ContentEncoding")],
                         ["text/x-odd", "no-cache", "de", 'attachment; filename="a b"', "gzip"])

    def test_every_checksum_is_verified_and_kept(self):
        client, body = self.boto(), b"bytes"
        raw = {"CRC32": crc(body, 0xEDB88320, 4), "CRC32C": crc(body, 0x82F63B78, 4),
               "CRC64NVME": crc(body, 0x9A6C9329AC4BC9B5, 8), "SHA1": hashlib.sha1(body).digest(),
               "SHA256": hashlib.sha256(body).digest()}
        for name, digest in raw.items():
            with self.subTest(name):
                member, value = f"Checksum{name}", base64.b64encode(digest).decode()
                client.put_object(Bucket=BUCKET, Key=name, Body=body, **{member: value})
                head = client.head_object(Bucket=BUCKET, Key=name, ChecksumMode="ENABLED")
                self.assertEqual(head[member], value)
                with self.assertRaises(ClientError) as refused:
                    client.put_object(Bucket=BUCKET, Key=name, Body=b"other", **{member: value})
                self.assertEqual(refused.exception.response["Error"]["Code"], "BadDigest")
                self.assertEqual((self.point / name).read_bytes(), body)

    def test_a_wrong_digest_leaves_the_old_object(self):
        client = self.boto()
        client.put_object(Bucket=BUCKET, Key="kept", Body=b"old")
        wrong = {"ContentMD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, {"ChecksumSHA256": "A" * 43 + "="}
        for arguments in wrong:
            with self.assertRaises(ClientError) as refused:
                client.put_object(Bucket=BUCKET, Key="kept", Body=b"new", **arguments)
            self.assertEqual(refused.exception.response["Error"]["Code"], "BadDigest")
        self.assertEqual((self.point / "kept").read_bytes(), b"old")


if __name__ == "__main__":
    unittest.main()
