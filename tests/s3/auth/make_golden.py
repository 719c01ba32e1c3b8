#!/usr/bin/env python3
"""Writes golden.json beside this script: requests as botocore really sends them, signed at a fixed time.

Run with boto3 installed when a new case is wanted; the tests read the committed file. The clock is
frozen, no network is used: a hook takes each request just before it would be sent.
"""
import datetime
import io
import json
import pathlib
import sys
import types

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.signers

NOW = datetime.datetime(2026, 2, 28, 23, 59, 30, tzinfo=datetime.timezone.utc)
SECRET = "0123456789abcdef" * 4
ACCESS_KEYS = ["AKIDEXAMPLE", "testuser/scm@EXAMPLE.COM", "a+b:c@d/e//f", "s3/aws4_request/x"]
KEYS = [
    "plain.txt", "a b", "a+b", "100%", "quote'\"quote", "caf\u00e9/\u65e5\u672c", "x//y", "a/./b/../c",
    "tail/", "~tilde-_.", "semi;colon=&?#", "star*(paren)!", "%2F", "\U0001f3fa", "new\nline", "k" * 900,
]
# Names this machine, or random: neither is signed.
UNSIGNED_NOISE = {"user-agent", "amz-sdk-invocation-id", "amz-sdk-request"}


def freeze_clock():
    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return NOW if tz else NOW.replace(tzinfo=None)

        @classmethod
        def utcnow(cls):
            return NOW.replace(tzinfo=None)

    for module in (botocore.auth, botocore.signers):
        if isinstance(getattr(module, "datetime", None), types.ModuleType):
            module.datetime = types.SimpleNamespace(
                datetime=Frozen, timezone=datetime.timezone, timedelta=datetime.timedelta)
        elif hasattr(module, "datetime"):
            module.datetime = Frozen
    botocore.auth.get_current_datetime = lambda remove_tzinfo=True: (
        NOW.replace(tzinfo=None) if remove_tzinfo else NOW)


class Capture:
    def __init__(self, access_key, style="path", scheme="http"):
        self.cases = []
        self.access_key = access_key
        config = botocore.config.Config(s3={"addressing_style": style}, signature_version="s3v4")
        self.client = boto3.client(
            "s3", endpoint_url=f"{scheme}://s3.example.org:9878", region_name="us-east-1",
            aws_access_key_id=access_key, aws_secret_access_key=SECRET, config=config)
        self.client.meta.events.register("before-send.s3", self.take)

    def take(self, request, **_):
        body = request.body
        if hasattr(body, "read"):
            body = body.read()
        if isinstance(body, str):
            body = body.encode()
        self.add(self.name, request.method, request.url, request.headers.items(), body or b"")
        return botocore.awsrequest.AWSResponse(request.url, 200, {}, Empty())

    def add(self, name, method, url, headers, body):
        host, _, target = url.split("://", 1)[1].partition("/")
        text = lambda v: v.decode() if isinstance(v, bytes) else str(v)
        fields = [[text(n), text(v)] for n, v in headers if n.lower() not in UNSIGNED_NOISE]
        if not any(n.lower() == "host" for n, _ in fields):
            fields.append(["Host", host])
        self.cases.append({
            "name": f"{self.access_key} {name}", "access_key": self.access_key, "method": method,
            "target": "/" + target, "headers": fields, "body": body.hex()})

    def call(self, name, operation, **arguments):
        self.name = name
        try:
            getattr(self.client, operation)(**arguments)
        except Exception as problem:  # the empty answer satisfies no parser; the request is what counts
            if not self.cases or not self.cases[-1]["name"].endswith(name):
                raise RuntimeError(f"{name}: nothing was sent") from problem

    def presign(self, name, operation, method, **arguments):
        url = self.client.generate_presigned_url(operation, Params=arguments, ExpiresIn=3600)
        self.add(name, method, url, [], b"")


class Empty(io.BytesIO):
    def stream(self, **_):
        return iter(())


def take_requests(capture, keys):
    capture.call("list buckets", "list_buckets")
    capture.call("list", "list_objects_v2", Bucket="bucket", Prefix="a b+c/\u00e9", Delimiter="/",
                 MaxKeys=7, StartAfter="~x*y&z=")
    capture.call("delete many", "delete_objects", Bucket="bucket",
                 Delete={"Objects": [{"Key": "a"}, {"Key": "b c"}]})
    capture.call("metadata", "put_object", Bucket="bucket", Key="m", Body=b"bytes",
                 Metadata={"one": "two   spaces", "three": "4"}, ContentType="text/plain; charset=utf-8")
    for number, key in enumerate(keys):
        capture.call(f"put {number}", "put_object", Bucket="bucket", Key=key, Body=b"hello")
        capture.call(f"get {number}", "get_object", Bucket="bucket", Key=key, Range="bytes=0-3")
        capture.presign(f"presigned get {number}", "get_object", "GET", Bucket="bucket", Key=key,
                        ResponseContentType="text/html; x=\"a b\"")
        capture.presign(f"presigned put {number}", "put_object", "PUT", Bucket="bucket", Key=key)


def main():
    freeze_clock()
    cases = []
    for access_key in ACCESS_KEYS:
        for style, scheme, keys in (("path", "http", KEYS), ("virtual", "https", KEYS[:4])):
            capture = Capture(access_key, style, scheme)
            take_requests(capture, keys if access_key == ACCESS_KEYS[1] else keys[:5])
            for case in capture.cases:
                case["name"] += f" {style} {scheme}"
            cases += capture.cases
    data = {"now": NOW.isoformat(), "unix_now": int(NOW.timestamp()), "region": "us-east-1",
            "secret": SECRET, "botocore": botocore.__version__, "cases": cases}
    out = pathlib.Path(__file__).with_name("golden.json")
    head = json.dumps({key: value for key, value in data.items() if key != "cases"})[:-1]
    lines = ",\n".join(json.dumps(case) for case in cases)
    out.write_text(f'{head}, "cases": [\n{lines}\n]}}\n')
    print(f"{len(cases)} requests written to {out.name}", file=sys.stderr)


if __name__ == "__main__":
    main()
