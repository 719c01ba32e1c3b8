"""What the tests with real clients share: a daemon with one mounted bucket, its credentials, real trees and
the comparison of both faces.

    with bucket_store("keys") as store:
        ...store.url, store.point (the mount), store.access_key, store.secret...

Everything is removed at the end, whatever happens. Threads: each test has its own store.
"""

import contextlib
import hashlib
import os
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from amphora_store import Store

BUCKET = "interop"
REGION = "us-east-1"
BOOST = Path("/usr/include/boost")
REPOSITORY = Path(os.environ.get("AMPHORA_SOURCE", Path(__file__).resolve().parents[2]))
# An access key that only splits right from the right.
ODD_ACCESS_KEY = "testuser/scm@EXAMPLE.COM"
PIECE = 1 << 20


@contextlib.contextmanager
def bucket_store(auth):
    with Store(["--auth", auth]) as store:
        store.run("bucket", "create", f"/s3v/{BUCKET}")
        store.point = store.mount(f"/s3v/{BUCKET}")
        if auth == "keys":
            key = store.json("s3", "getsecret", "--user", ODD_ACCESS_KEY)
            store.access_key, store.secret = key["awsAccessKey"], key["awsSecret"]
        else:
            store.access_key, store.secret = "anyone", "anything"
        yield store


# The schemes that the clients of clients/ are run over.
SECURE_SCHEMES = ("http", "https")


@contextlib.contextmanager
def volume_store(scheme):
    """A daemon that checks signatures, over http or https, with all of /s3v mounted at store.point."""
    with Store(["--auth", "keys"], start=False) as store:
        store.authority = make_certificate(store) if scheme == "https" else None
        store.start()
        store.point = store.mount("/s3v")
        key = store.json("s3", "getsecret", "--user", ODD_ACCESS_KEY)
        store.access_key, store.secret = key["awsAccessKey"], key["awsSecret"]
        yield store


def make_certificate(store):
    """The daemon's certificate for 127.0.0.1, and of whom the clients have it: it vouches for itself."""
    certificate, key = store.directory / "certificate.pem", store.directory / "key.pem"
    run_client(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=amphora test",
                "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"], store.environ())
    store.arguments += ["--tls-cert", str(certificate), "--tls-key", str(key)]
    return certificate


class InteropTest(unittest.TestCase):
    """One fresh store for each test; `auth` is the daemon's mode."""

    auth = "open"
    maxDiff = 4000

    def setUp(self):
        self.store = self.enterContext(bucket_store(self.auth))
        self.point = self.store.point

    def tearDown(self):
        # Whatever a client did, the daemon is alive and its store is whole.
        self.assertEqual(self.store.json("check")["findings_total"], 0)

    def scratch(self, name):
        path = self.store.directory / name
        path.mkdir()
        return path

    def boto(self, **options):
        return boto_client(self.store, **options)


def client_environment(store):
    """Of AWS's own tools and of goofys: credentials, no retries, nothing of the caller's account."""
    clean = {k: v for k, v in store.environ().items() if not k.startswith("AWS_")}
    if authority := getattr(store, "authority", None):
        clean |= {"AWS_CA_BUNDLE": str(authority), "SSL_CERT_FILE": str(authority)}
    config = store.directory / "aws-config"
    if not config.exists():
        config.write_text("[default]\ns3 =\n  max_concurrent_requests = 4\n"
                          "  addressing_style = path\n  signature_version = s3v4\n")
    return clean | {"AWS_ACCESS_KEY_ID": store.access_key, "AWS_SECRET_ACCESS_KEY": store.secret,
                    "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": str(config),
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1",
                    "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}


def boto_client(store, access_key=None, secret=None, **options):
    """A boto3 client that never retries: a failure that a retry would hide is a failure."""
    import boto3
    from botocore.config import Config

    config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1},
                    max_pool_connections=8, **options)
    return boto3.client("s3", endpoint_url=store.url, region_name=REGION, config=config,
                        verify=getattr(store, "authority", None) and str(store.authority),
                        aws_access_key_id=access_key or store.access_key,
                        aws_secret_access_key=secret or store.secret)


def hash_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
    return digest.hexdigest()


def hash_tree(root):
    """{relative path: (size, SHA-256)} of every regular file."""
    files = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            if path.is_file() and not path.is_symlink():
                files[str(path.relative_to(root))] = (path.stat().st_size, hash_file(path))
    return files


def list_objects(client, prefix=""):
    """{key: (size, ETag without quotes)} by ListObjectsV2, page by page."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {o["Key"]: (o["Size"], o["ETag"].strip('"')) for page in pages for o in page.get("Contents", [])}


def get_object(client, key):
    """(size, SHA-256) of what GET answers."""
    digest, size = hashlib.sha256(), 0
    for piece in client.get_object(Bucket=BUCKET, Key=key)["Body"].iter_chunks(PIECE):
        digest.update(piece)
        size += len(piece)
    return size, digest.hexdigest()


def in_parallel(function, items, threads=4):
    """Every answer, in order; the first exception is raised."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, items))


def write_random(path, size, seed=1):
    """`size` bytes that do not repeat within 64 MiB, without reading /dev/urandom for all of them."""
    block = hashlib.shake_256(str(seed).encode()).digest(PIECE)
    with open(path, "wb") as file:
        for number in range(0, size, PIECE):
            piece = number.to_bytes(8, "big") + block[8:]
            file.write(piece[: min(PIECE, size - number)])


def run_client(command, environment, check=True, timeout=600):
    """Runs a client program; its output goes into the failure."""
    result = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True,
                            timeout=timeout, check=False)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}: exit {result.returncode}\n"
                             f"{result.stdout[-2000:]}{result.stderr[-4000:]}")
    return result
