"""4 KiB GET and PUT by wrk, which costs less than any server: ours by presigned URLs, nginx from a file
(GET with sendfile) and by its DAV module (PUT, which is not durable, ours is)."""
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import shutil
import socket
import time
import urllib.parse
import urllib.request

from sides import BUCKET
from stage import BenchError, Process, call

SIZE = 4096
REGION = "us-east-1"
LUA = pathlib.Path(__file__).with_name("requests.lua")


class Presigner:
    """AWS Signature Version 4 in the query (AWS: Authenticating Requests: Using Query Parameters)."""

    def __init__(self, url, access_key, secret, now=None):
        self.host = urllib.parse.urlsplit(url).netloc
        now = now or datetime.datetime.now(datetime.timezone.utc)
        self.stamp = now.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.stamp[:8]}/{REGION}/s3/aws4_request"
        self.parameters = {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{access_key}/{self.scope}",
            "X-Amz-Date": self.stamp, "X-Amz-Expires": "86400", "X-Amz-SignedHeaders": "host",
        }
        key = ("AWS4" + secret).encode()
        for part in self.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        self.key = key

    def path(self, method, key, parameters=None):
        """The path and query of a request; an empty key means the bucket."""
        path = f"/{BUCKET}" + (f"/{urllib.parse.quote(key)}" if key else "")
        query = urllib.parse.urlencode(sorted({**self.parameters, **(parameters or {})}.items()),
                                       quote_via=urllib.parse.quote, safe="")
        request = f"{method}\n{path}\n{query}\nhost:{self.host}\n\nhost\nUNSIGNED-PAYLOAD"
        text = "\n".join(["AWS4-HMAC-SHA256", self.stamp, self.scope,
                          hashlib.sha256(request.encode()).hexdigest()])
        signature = hmac.digest(self.key, text.encode(), "sha256").hex()
        return f"{path}?{query}&X-Amz-Signature={signature}"


def wrk(stage, url, method, paths, connections, seconds):
    """Runs wrk over `paths` in turn; every answer must be a success. Requests a second and latencies."""
    listing = stage.log("paths")
    listing.write_text("\n".join(paths) + "\n")
    output = call(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", LUA, url],
                  env={**os.environ, "BENCH_METHOD": method, "BENCH_PATHS": str(listing),
                       "BENCH_SIZE": str(SIZE)})
    result = json.loads(output[output.rindex("{\"requests\""):])
    failed = {name: count for name, count in result["errors"].items() if count}
    if failed:
        raise BenchError(f"wrk {method} {url} met failures: {failed}; its row is worth nothing")
    return {"count": result["requests"], "seconds": result["microseconds"] / 1e6,
            "per_second": result["requests"] / (result["microseconds"] / 1e6),
            "p50_us": result["p50_us"], "p99_us": result["p99_us"]}


def ours(stage, side, seconds, put_keys):
    signer = Presigner(side.url, *side.secret())
    body = os.urandom(SIZE)
    put = urllib.request.Request(side.url + signer.path("PUT", "fixed"), data=body, method="PUT")
    urllib.request.urlopen(put, timeout=10).read()
    got = urllib.request.urlopen(side.url + signer.path("GET", "fixed"), timeout=10).read()
    if got != body:
        raise BenchError("GET did not give back what PUT stored")
    rows = {"get_4k": wrk(stage, side.url, "GET", [signer.path("GET", "fixed")], 16, seconds)}
    paths = [signer.path("PUT", f"put/{number}") for number in range(put_keys)]
    rows["put_4k"] = wrk(stage, side.url, "PUT", paths, 16, seconds)
    return rows


NGINX = """
user root;
daemon off;
pid {run}/nginx.pid;
error_log {run}/error.log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
  open_file_cache max=1000;
  client_body_temp_path {root}/temporary; proxy_temp_path {run}/proxy;
  fastcgi_temp_path {run}/fastcgi; uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
  server {{
    listen 127.0.0.1:{port} reuseport;
    root {root};
    location /put/ {{ dav_methods PUT; client_body_buffer_size 16k; }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def nginx(stage, seconds, put_keys):
    """None where nginx is missing."""
    if shutil.which("nginx") is None:
        return None
    root, run = stage.directory("nginx", on_disk=True), stage.directory("nginx", on_disk=False)
    (root / "put").mkdir()
    (root / "fixed").write_bytes(os.urandom(SIZE))
    port = free_port()
    (run / "nginx.conf").write_text(NGINX.format(run=run, root=root, port=port))
    process = Process(["nginx", "-p", run, "-c", run / "nginx.conf"], stage.log("nginx"))
    stage.callback(process.stop)
    url = f"http://127.0.0.1:{port}"
    wait_until_open(process, port)
    rows = {"get_4k": wrk(stage, url, "GET", ["/fixed"], 16, seconds)}
    if "http_dav_module" in call(["sh", "-c", "nginx -V 2>&1"]):
        rows["put_4k"] = wrk(stage, url, "PUT", [f"/put/{i}" for i in range(put_keys)], 16, seconds)
    process.stop()
    return rows


def wait_until_open(process, port):

    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.child.poll() is not None:
            break
        time.sleep(0.02)
    raise BenchError(f"nginx does not listen: {process.log.read_text()[-200:]}")
