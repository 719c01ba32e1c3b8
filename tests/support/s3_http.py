"""A small S3 client on http.client: one connection a thread, signed by AWS Signature Version 4 on request.

It exists so that tests need no package, and so that the signature check has a second implementation to
agree with. Thread-safe.
"""

import datetime
import hashlib
import hmac
import http.client
import threading
import urllib.parse
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict = field(default_factory=dict)

    @property
    def ok(self):
        return 200 <= self.status < 300


def local_name(element):
    return element.tag.rpartition("}")[2]


def sign(method, host, target, headers, body, key, region="us-east-1"):
    """Adds Authorization (AWS: signing requests with Signature Version 4)."""
    access_key, secret = key
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers |= {"host": host, "x-amz-date": stamp, "x-amz-content-sha256": digest}
    path, _, query = target.partition("?")
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    quote = lambda text: urllib.parse.quote(text, safe="-_.~")
    names = sorted(headers)
    canonical = "\n".join([
        method, path, "&".join(f"{quote(k)}={quote(v)}" for k, v in pairs),
        "".join(f"{n}:{headers[n].strip()}\n" for n in names), ";".join(names), digest])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signing = b"AWS4" + secret.encode()
    for part in (day, region, "s3", "aws4_request"):
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(signing, text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={access_key}/{scope}, "
                                f"SignedHeaders={';'.join(names)}, Signature={signature}")


class S3:
    """`key` is (access key, secret) or None: then requests are not signed."""

    def __init__(self, url, key=None, timeout=60, tls=None):
        """`tls`: an ssl.SSLContext for https addresses; without one the system's authorities count."""
        self.host = urllib.parse.urlsplit(url).netloc
        self.https = urllib.parse.urlsplit(url).scheme == "https"
        self.tls = tls
        self.key = key
        self.timeout = timeout
        self.threads = threading.local()

    def close(self):
        """Ends the calling thread's connection."""
        connection = getattr(self.threads, "connection", None)
        if connection is not None:
            connection.close()
            self.threads.connection = None

    def request(self, method, target, body=b"", headers=None):
        """`target` is the encoded path and query. Raises OSError or HTTPException when cut off."""
        headers = {k.lower(): v for k, v in (headers or {}).items()}
        if self.key:
            sign(method, self.host, target, headers, body, self.key)
        connection = getattr(self.threads, "connection", None)
        if connection is None:
            connection = (http.client.HTTPSConnection(self.host, timeout=self.timeout, context=self.tls)
                          if self.https else
                          http.client.HTTPConnection(self.host, timeout=self.timeout))
            self.threads.connection = connection
        try:
            connection.request(method, target, body=body or None, headers=headers)
            reply = connection.getresponse()
            return Answer(reply.status, reply.read(), dict(reply.getheaders()))
        except (OSError, http.client.HTTPException):
            connection.close()
            self.threads.connection = None
            raise

    def put(self, path, body=b"", headers=None):
        return self.request("PUT", urllib.parse.quote(path), body, headers)

    def get(self, path, headers=None):
        return self.request("GET", urllib.parse.quote(path), headers=headers)

    def head(self, path):
        return self.request("HEAD", urllib.parse.quote(path))

    def delete(self, path):
        return self.request("DELETE", urllib.parse.quote(path))

    def list_page(self, bucket, **parameters):
        """One page of ListObjectsV2: (keys with sizes, common prefixes, the next token or None)."""
        query = {"list-type": "2"} | {k.replace("_", "-"): str(v) for k, v in parameters.items()}
        answer = self.request("GET", f"/{bucket}?" + urllib.parse.urlencode(query))
        if not answer.ok:
            raise AssertionError(f"LIST of {bucket}: {answer.status} {answer.body[:300]!r}")
        root = ElementTree.fromstring(answer.body)
        keys, prefixes, token = {}, [], None
        for child in root:
            values = {local_name(e): e.text or "" for e in child}
            if local_name(child) == "Contents":
                keys[values["Key"]] = int(values["Size"])
            elif local_name(child) == "CommonPrefixes":
                prefixes.append(values["Prefix"])
            elif local_name(child) == "NextContinuationToken":
                token = child.text
        return keys, prefixes, token

    def list(self, bucket, **parameters):
        """Every key with its size, over all pages."""
        everything, token = {}, None
        while True:
            more = {"continuation_token": token} if token else {}
            keys, _, token = self.list_page(bucket, **parameters, **more)
            everything |= keys
            if not token:
                return everything
