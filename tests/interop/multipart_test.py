"""Multipart uploads, copies, conditions and checksums with boto3 and the aws command line; the mount shows
the same bytes."""

import base64
import hashlib
import io
import os
import unittest

from botocore.exceptions import ClientError
from prelude import (BUCKET, PIECE, InteropTest, client_environment, get_object, hash_file, in_parallel,
                     list_objects, run_client, write_random)

AWS = os.environ.get("AMPHORA_AWS", "/usr/bin/aws")
PART = 5 << 20
LARGE = 30 << 20
ALGORITHMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256")
TYPES = {"CRC32": ("COMPOSITE", "FULL_OBJECT"), "CRC32C": ("COMPOSITE", "FULL_OBJECT"),
         "CRC64NVME": ("FULL_OBJECT",), "SHA1": ("COMPOSITE",), "SHA256": ("COMPOSITE",)}


class MultipartTest(InteropTest):
    def setUp(self):
        super().setUp()
        self.client = self.boto()
        self.source = self.store.directory / "source"

    def refused(self, code, call, **arguments):
        with self.assertRaises(ClientError) as raised:
            call(Bucket=BUCKET, **arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)
        return raised.exception.response

    def begin(self, key, **arguments):
        return self.client.create_multipart_upload(Bucket=BUCKET, Key=key, **arguments)["UploadId"]

    def put_part(self, key, upload, number, body, **arguments):
        answer = self.client.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number,
                                         Body=body, **arguments)
        checksums = {k: v for k, v in answer.items() if k.startswith("Checksum")}
        return {"PartNumber": number, "ETag": answer["ETag"]}, checksums

    def complete(self, key, upload, parts, **arguments):
        return self.client.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload,
                                                     MultipartUpload={"Parts": parts}, **arguments)

    def test_a_file_of_30_mib_goes_up_in_parts_and_comes_back(self):
        write_random(self.source, LARGE + 12345)
        self.client.upload_file(str(self.source), BUCKET, "dir/large")
        wanted = (LARGE + 12345, hash_file(self.source))
        self.assertEqual(hash_file(self.point / "dir/large"), wanted[1])
        self.assertEqual(get_object(self.client, "dir/large"), wanted)
        back = io.BytesIO()
        self.client.download_fileobj(BUCKET, "dir/large", back)
        self.assertEqual(hashlib.sha256(back.getvalue()).hexdigest(), wanted[1])
        etag = list_objects(self.client)["dir/large"][1]
        self.assertRegex(etag, r"^[0-9a-f]{32}-4$")

    def test_parts_in_any_order_uneven_and_sent_twice(self):
        write_random(self.source, LARGE)
        data = self.source.read_bytes()
        edges = [0, PART, 2 * PART + 1, 4 * PART, len(data)]
        pieces = [data[a:b] for a, b in zip(edges, edges[1:])]
        upload = self.begin("key", Metadata={"a": "b"})
        in_parallel(lambda n: self.put_part("key", upload, n, b"another try" * n), range(1, 5))
        parts = in_parallel(lambda n: self.put_part("key", upload, n, pieces[n - 1])[0], (4, 2, 3, 1))
        parts.sort(key=lambda part: part["PartNumber"])
        listed = self.client.list_parts(Bucket=BUCKET, Key="key", UploadId=upload)["Parts"]
        self.assertEqual([p["Size"] for p in listed], [len(piece) for piece in pieces])
        first = self.complete("key", upload, parts, IfNoneMatch="*")
        self.assertEqual(self.complete("key", upload, parts, IfNoneMatch="*")["ETag"], first["ETag"])
        self.assertEqual((self.point / "key").read_bytes(), data)
        self.assertEqual(self.client.head_object(Bucket=BUCKET, Key="key")["Metadata"], {"a": "b"})
        self.assertNotIn("Uploads", self.client.list_multipart_uploads(Bucket=BUCKET))

    def test_an_aborted_upload_leaves_nothing(self):
        upload = self.begin("key")
        part, _ = self.put_part("key", upload, 1, bytes(PART))
        uploads = self.client.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
        self.assertEqual([(u["Key"], u["UploadId"]) for u in uploads], [("key", upload)])
        self.client.abort_multipart_upload(Bucket=BUCKET, Key="key", UploadId=upload)
        self.assertNotIn("Uploads", self.client.list_multipart_uploads(Bucket=BUCKET))
        self.assertEqual(os.listdir(self.point), [])
        self.refused("NoSuchUpload", self.client.complete_multipart_upload, Key="key", UploadId=upload,
                     MultipartUpload={"Parts": [part]})

    def test_parts_copied_from_a_file_of_the_mount(self):
        write_random(self.point / "source", 2 * LARGE)
        data = (self.point / "source").read_bytes()
        upload = self.begin("key")
        parts = []
        for number, (first, last) in enumerate(((0, LARGE - 1), (7, LARGE), (0, 9)), 1):
            answer = self.client.upload_part_copy(
                Bucket=BUCKET, Key="key", UploadId=upload, PartNumber=number,
                CopySource={"Bucket": BUCKET, "Key": "source"}, CopySourceRange=f"bytes={first}-{last}")
            parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
        self.complete("key", upload, parts)
        self.assertEqual((self.point / "key").read_bytes(), data[:LARGE] + data[7:LARGE + 1] + data[:10])

    def test_each_checksum_by_header_and_by_trailer(self):
        body = os.urandom(100_000)
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm):
                member = f"Checksum{algorithm}"
                try:
                    # A stream makes botocore send the checksum behind the body.
                    by_trailer = self.client.put_object(Bucket=BUCKET, Key="trailer", Body=io.BytesIO(body),
                                                        ChecksumAlgorithm=algorithm)
                except Exception as problem:  # botocore needs its C library for some
                    if "MissingDependency" not in type(problem).__name__:
                        raise
                    self.assertIn(algorithm, ("CRC32C", "CRC64NVME"))
                    continue
                value = by_trailer[member]
                self.client.put_object(Bucket=BUCKET, Key="header", Body=body, **{member: value})
                for key in ("trailer", "header"):
                    head = self.client.head_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
                    self.assertEqual((head[member], head["ChecksumType"]), (value, "FULL_OBJECT"))
                    # botocore checks what it reads against it
                    got = self.client.get_object(Bucket=BUCKET, Key=key, ChecksumMode="ENABLED")
                    self.assertEqual(got["Body"].read(), body)
                self.refused("BadDigest", self.client.put_object, Key="header", Body=b"x", **{member: value})

    def test_each_checksum_of_uploads_in_parts(self):
        pieces = [os.urandom(PART), os.urandom(1234)]
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            for kind in TYPES[algorithm]:
                with self.subTest(algorithm=algorithm, type=kind):
                    upload = self.begin("key", ChecksumAlgorithm=algorithm, ChecksumType=kind)
                    parts = []
                    for number, piece in enumerate(pieces, 1):
                        part, checksums = self.put_part("key", upload, number, piece,
                                                        ChecksumAlgorithm=algorithm)
                        parts.append(part | {f"Checksum{algorithm}": checksums[f"Checksum{algorithm}"]})
                    done = self.complete("key", upload, parts, ChecksumType=kind)
                    self.assertEqual(done["ChecksumType"], kind)
                    if algorithm == "SHA256":
                        digests = b"".join(hashlib.sha256(piece).digest() for piece in pieces)
                        wanted = base64.b64encode(hashlib.sha256(digests).digest()).decode() + "-2"
                        self.assertEqual(done["ChecksumSHA256"], wanted)
                    head = self.client.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
                    self.assertEqual(head[f"Checksum{algorithm}"], done[f"Checksum{algorithm}"])
                    got = self.client.get_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
                    self.assertEqual(got["Body"].read(), b"".join(pieces))

    def copy(self, source, target, **arguments):
        """The copy's ETag, which CopyObject, HEAD and the listing tell alike."""
        answer = self.client.copy_object(Bucket=BUCKET, Key=target, CopySource={"Bucket": BUCKET, "Key": source},
                                         **arguments)
        etag = answer["CopyObjectResult"]["ETag"].strip('"')
        self.assertEqual(self.client.head_object(Bucket=BUCKET, Key=target)["ETag"].strip('"'), etag)
        self.assertEqual(list_objects(self.client)[target][1], etag)
        return etag

    def test_the_etag_of_a_copy(self):
        large, small = os.urandom(PART + 1), b"small"
        md5 = {body: hashlib.md5(body).hexdigest() for body in (large, small)}
        self.client.put_object(Bucket=BUCKET, Key="put", Body=large)
        self.assertEqual(self.copy("put", "copy-of-put"), md5[large])
        upload = self.begin("large")
        parts = [self.put_part("large", upload, n, piece)[0] for n, piece in ((1, large[:PART]), (2, large[PART:]))]
        etag = self.complete("large", upload, parts)["ETag"].strip('"')
        self.assertRegex(etag, r"^[0-9a-f]{32}-2$")
        # Shared, not read: as the source, with its parts.
        self.assertEqual(self.copy("large", "shared"), etag)
        part = self.client.head_object(Bucket=BUCKET, Key="shared", PartNumber=2)
        self.assertEqual((part["PartsCount"], part["ContentLength"]), (2, 1))
        # Read: as AWS answers every copy.
        self.assertEqual(self.copy("large", "read", ChecksumAlgorithm="SHA256"), md5[large])
        self.assertEqual(self.client.head_object(Bucket=BUCKET, Key="read", PartNumber=1)["ContentLength"], len(large))
        (self.point / "posix").write_bytes(small)
        self.assertEqual(self.copy("posix", "posix-read"), md5[small])
        (self.point / "posix").write_bytes(large)
        self.assertIn("-", self.copy("posix", "posix-shared"))
        for key, body in (("shared", large), ("read", large), ("posix-shared", large)):
            self.assertEqual(get_object(self.client, key), (len(body), hashlib.sha256(body).hexdigest()))

    def test_a_posix_write_drops_the_checksum(self):
        self.client.put_object(Bucket=BUCKET, Key="key", Body=b"by S3")
        (self.point / "key").write_bytes(b"by the mount")
        head = self.client.head_object(Bucket=BUCKET, Key="key", ChecksumMode="ENABLED")
        self.assertEqual([name for name in head if name.startswith("Checksum")], [])

    def test_conditions_of_writes_and_deletions(self):
        etag = self.client.put_object(Bucket=BUCKET, Key="key", Body=b"1", IfNoneMatch="*")["ETag"]
        self.refused("PreconditionFailed", self.client.put_object, Key="key", Body=b"2", IfNoneMatch="*")
        self.refused("PreconditionFailed", self.client.put_object, Key="key", Body=b"2", IfMatch='"other"')
        self.refused("NoSuchKey", self.client.put_object, Key="none", Body=b"2", IfMatch=etag)
        self.refused("NotImplemented", self.client.put_object, Key="key", Body=b"2", IfNoneMatch=etag)
        new = self.client.put_object(Bucket=BUCKET, Key="key", Body=b"2", IfMatch=etag)["ETag"]
        self.refused("PreconditionFailed", self.client.delete_object, Key="key", IfMatch=etag)
        both = [{"Key": "key", "ETag": etag}, {"Key": "none"}]
        answer = self.client.delete_objects(Bucket=BUCKET, Delete={"Objects": both})
        self.assertEqual([(e["Key"], e["Code"]) for e in answer["Errors"]], [("key", "PreconditionFailed")])
        self.assertEqual((self.point / "key").read_bytes(), b"2")
        upload = self.begin("key")
        part, _ = self.put_part("key", upload, 1, b"3")
        self.refused("PreconditionFailed", self.client.complete_multipart_upload, Key="key", UploadId=upload,
                     MultipartUpload={"Parts": [part]}, IfMatch=etag)
        self.complete("key", upload, [part], IfMatch=new)
        self.assertEqual((self.point / "key").read_bytes(), b"3")

    def test_copies_share_and_stay_apart(self):
        write_random(self.point / "source", LARGE)
        wanted = (LARGE, hash_file(self.point / "source"))
        source = {"Bucket": BUCKET, "Key": "source"}
        self.client.copy_object(Bucket=BUCKET, Key="copy +%", CopySource=source, MetadataDirective="REPLACE",
                                Metadata={"a": "b"})
        self.client.copy_object(Bucket=BUCKET, Key="again",
                                CopySource={"Bucket": BUCKET, "Key": "copy +%"}, IfNoneMatch="*")
        (self.point / "source").write_bytes(b"changed")
        for key in ("copy +%", "again"):
            self.assertEqual(get_object(self.client, key), wanted)
            self.assertEqual(hash_file(self.point / key), wanted[1])
        self.assertEqual(self.client.head_object(Bucket=BUCKET, Key="again")["Metadata"], {"a": "b"})
        self.client.copy(source | {"Key": "again"}, BUCKET, "managed")  # by parts, as boto3 likes it
        self.assertEqual(get_object(self.client, "managed"), wanted)


class MultipartWithKeysTest(MultipartTest):
    auth = "keys"


class AwsCliMultipartTest(InteropTest):
    auth = "keys"

    def aws(self, *arguments):
        return run_client([AWS, "--endpoint-url", self.store.url, *arguments], client_environment(self.store))

    def test_large_files_go_up_move_and_come_back_in_parts(self):
        source, back = self.store.directory / "source", self.store.directory / "back"
        write_random(source, LARGE + PIECE + 1)
        self.aws("s3", "cp", "--quiet", source, f"s3://{BUCKET}/up")
        self.assertRegex(list_objects(self.boto())["up"][1], r"-\d+$")
        self.aws("s3", "cp", "--quiet", f"s3://{BUCKET}/up",
                 f"s3://{BUCKET}/copied")
        self.aws("s3", "mv", "--quiet", f"s3://{BUCKET}/up", f"s3://{BUCKET}/moved")
        self.aws("s3", "cp", "--quiet", f"s3://{BUCKET}/moved", back)
        self.assertEqual(hash_file(back), hash_file(source))
        for name in ("copied", "moved"):
            self.assertEqual(hash_file(self.point / name), hash_file(source))
        self.assertEqual(sorted(os.listdir(self.point)), ["copied", "moved"])

    def test_small_files_are_copied_and_moved_on_the_server(self):
        (self.point / "one").write_bytes(b"bytes")
        self.aws("s3", "cp", "--quiet", f"s3://{BUCKET}/one", f"s3://{BUCKET}/two")
        self.aws("s3", "mv", "--quiet", f"s3://{BUCKET}/two", f"s3://{BUCKET}/dir/three")
        self.assertEqual((self.point / "dir/three").read_bytes(), b"bytes")
        self.assertEqual(sorted(os.listdir(self.point)), ["dir", "one"])


if __name__ == "__main__":
    unittest.main()
