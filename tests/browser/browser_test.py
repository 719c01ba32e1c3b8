"""The bucket browser in a real Chromium: light and dark, with scripts and without, on hostile keys."""

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.parse
from pathlib import Path

from amphora_store import Store
from s3_http import S3

HERE = Path(__file__).parent
# Each is a name in one directory, and what a reader should see of it.
HOSTILE = {
    "<script>alert(1)<!--.html": "<script>alert(1)<!--.html",
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "\"quotes\" & 'apostrophes' <b>.txt": "\"quotes\" & 'apostrophes' <b>.txt",
    "line\nbreak\ttab.txt": "line\\nbreak\\ttab.txt",
    "100%25 sure? #1&2=3+4;.txt": "100%25 sure? #1&2=3+4;.txt",
    "javascript:alert(1)": "javascript:alert(1)",
    "gr\u00fc\u00dfe \u65e5\u672c\u8a9e \U0001f3fa.txt": "gr\u00fc\u00dfe \u65e5\u672c\u8a9e \U0001f3fa.txt",
    "evil\u202etxt.exe": "evil\\u{202e}txt.exe",
    "  spaces  around  ": "  spaces  around  ",
    "-dash": "-dash",
    "long-" + "x" * 240: "long-" + "x" * 240,
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class BrowserTest(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="amphora-test-")
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.pictures = Path(os.environ.get("AMPHORA_SCREENSHOTS", self.directory / "pictures"))
        self.pictures.mkdir(parents=True, exist_ok=True)

    def start(self, *arguments):
        store = Store(arguments, start=False)
        self.addCleanup(store.close)
        store.start(listen="localhost:0")
        store.run("bucket", "create", "/s3v/photos")
        return store

    def drive(self, *visits):
        modules = os.environ.get("AMPHORA_NODE_ENV", str(HERE.parents[1] / "build/node"))
        script = self.directory / "drive.mjs"
        shutil.copy(HERE / "drive.mjs", script)
        if not (self.directory / "node_modules").exists():
            (self.directory / "node_modules").symlink_to(Path(modules) / "node_modules")
        for visit in visits:
            if "screenshot" in visit:
                visit["screenshot"] = str(self.pictures / visit["screenshot"])
        plan = {"chromium": shutil.which("chromium"), "visits": visits,
                "arguments": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]}
        result = subprocess.run(["node", str(script)], input=json.dumps(plan), capture_output=True, text=True,
                                timeout=150, check=False, env=os.environ | {"HOME": str(self.directory)})
        self.assertEqual(result.returncode, 0, result.stderr)
        reports = json.loads(result.stdout)
        for report in reports:
            self.assertEqual(report["problems"], [])
            self.assertEqual(report["status"], 200)
            self.check_policy(report)
        return reports

    def check_policy(self, report):
        policy = dict(part.strip().partition(" ")[::2] for part in
                      report["headers"]["content-security-policy"].split(";"))
        self.assertEqual(policy["default-src"], "'none'")
        self.assertRegex(policy["style-src"], r"^'sha256-[A-Za-z0-9+/]{43}='$")
        self.assertEqual(report["headers"]["x-content-type-options"], "nosniff")
        self.assertEqual(report["headers"]["referrer-policy"], "no-referrer")
        self.assertNotIn("script", report["elements"])
        self.assertNotIn("b", report["elements"])
        # No asset but the page: what was asked for is pages and downloads of this host.
        host = urllib.parse.urlsplit(report["url"]).netloc
        for address in report["requests"]:
            self.assertTrue(address.startswith("data:") or urllib.parse.urlsplit(address).netloc == host,
                            address)

    def fill(self, s3):
        for name in HOSTILE:
            self.assertTrue(s3.put(f"/photos/{name}", name.encode()).ok, name)
        for key in ("2025/summer/beach.jpg", "2025/summer/boat.jpg", "2025/index.html", "2026/plan.pdf"):
            self.assertTrue(s3.put(f"/photos/{key}", os.urandom(40_000 + len(key) * 3777)).ok)
        self.assertTrue(s3.put("/photos/notes.md", b"# notes\n" * 400).ok)

    def test_hostile_names_are_shown_and_downloaded_and_do_nothing(self):
        store = self.start()
        self.fill(store.s3)
        [light] = self.drive({"url": f"{store.url}/photos?browser=true", "download": True, "tabs": 30,
                              "screenshot": "light.png", "full": True})
        self.assertEqual(light["title"], "photos/ \u00b7 Amphora")
        self.assertEqual(light["language"], "en")
        files = {row["name"]: row for row in light["rows"] if row["download"]}
        self.assertEqual(set(files), set(HOSTILE.values()) | {"notes.md"})
        folders = [row["name"] for row in light["rows"] if not row["download"]]
        self.assertEqual(folders, ["2025/", "2026/"])
        self.assertIn("2 folders, 12 objects", light["caption"])
        self.assertEqual(files["notes.md"]["bytes"], "3200")
        self.assertEqual(files["notes.md"]["size"], "3.1 KiB")
        self.assertRegex(files["notes.md"]["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        for key, shown in HOSTILE.items():
            self.assertEqual(light["downloads"][shown]["sha256"], sha256(key.encode()), key)
        # A table that a screen reader can read, and every link reached and marked by the keyboard.
        self.assertEqual(light["columns"], ["Name", "Size", "Modified (UTC)"])
        self.assertEqual({row["scope"] for row in light["rows"]}, {"row"})
        self.assertTrue(all(row["label"].startswith(("Folder ", "Download ")) for row in light["rows"]))
        self.assertEqual(len({tab["href"] for tab in light["tabs"]}), len(light["links"]))
        self.assertEqual({tab["outline"] for tab in light["tabs"]}, {"solid2px"})
        self.assertFalse(light["overflows"])

    def test_dark_without_scripts_shows_the_same(self):
        store = self.start()
        self.fill(store.s3)
        address = f"{store.url}/photos?browser=true"
        light, dark, inside, narrow = self.drive(
            {"url": address},
            {"url": address, "dark": True, "scripts": False, "screenshot": "dark.png"},
            {"url": address, "dark": True, "scripts": False, "follow": ["2025/", "summer/"],
             "download": True, "screenshot": "dark-inside.png"},
            {"url": address, "width": 390, "screenshot": "narrow.png"})
        self.assertEqual([r["href"] for r in dark["rows"]], [r["href"] for r in light["rows"]])
        brightness = [sum(map(int, r["background"][4:-1].split(","))) for r in (light, dark)]
        self.assertGreater(brightness[0], 600)
        self.assertLess(brightness[1], 150)
        self.assertEqual(inside["crumbs"], ["photos", "2025", "summer"])
        self.assertEqual(inside["here"], "summer")
        self.assertEqual([r["name"] for r in inside["rows"] if r["download"]], ["beach.jpg", "boat.jpg"])
        self.assertEqual(inside["downloads"]["beach.jpg"]["file"], "beach.jpg")
        self.assertFalse(narrow["overflows"])

    def test_keys_that_no_path_can_carry_are_downloaded_too(self):
        store = self.start()
        keys = ("up/../x", "up/./y", "up//z", "../w", "/v")
        for key in keys:
            path = "/photos/" + urllib.parse.quote(key, safe="/")
            self.assertTrue(store.s3.request("PUT", path, key.encode()).ok)
        address = f"{store.url}/photos?browser=true"
        virtual = address.replace("localhost", "photos.localhost").replace("/photos?", "/?")
        visits = []
        for base in (address, virtual):
            for prefix in ("up/../", "up/./", "up//", "../", "/"):
                visits.append({"url": f"{base}&prefix={urllib.parse.quote(prefix, safe='')}",
                               "download": True})
        for report, key in zip(self.drive(*visits), keys * 2):
            self.assertEqual([d["sha256"] for d in report["downloads"].values()], [sha256(key.encode())])
        [first] = self.drive({"url": address, "screenshot": "odd.png"})
        self.assertEqual(len(first["rows"]), 3)

    def test_pages_of_a_thousand(self):
        store = self.start()
        for number in range(1003):
            self.assertTrue(store.s3.put(f"/photos/many/{number:04}", b"x").ok)
        address = f"{store.url}/photos?browser=true&prefix=many/"
        first, second, back = self.drive(
            {"url": address}, {"url": address, "follow": ["Next page"], "screenshot": "second.png"},
            {"url": address, "follow": ["Next page", "First page"]})
        names = [[r["name"] for r in report["rows"] if r["download"]] for report in (first, second, back)]
        self.assertEqual(names[0] + names[1], [f"{number:04}" for number in range(1003)])
        self.assertEqual(names[0], names[2])
        self.assertEqual(len(names[0]), 1000)
        self.assertEqual((first["pages"], second["pages"]), (["Next page"], ["First page"]))
        self.assertIn("1,000 objects", first["caption"])

    def test_an_empty_bucket_says_so(self):
        store = self.start()
        [page] = self.drive({"url": f"{store.url}/photos?browser=true", "dark": True,
                             "screenshot": "empty.png"})
        self.assertIn("empty", page["empty"])

    def test_with_keys_every_link_is_signed_and_none_outlives_the_page(self):
        store = self.start("--auth", "keys")
        key = store.json("s3", "getsecret")
        signed = S3(store.url, key=(key["awsAccessKey"], key["awsSecret"]))
        self.addCleanup(signed.close)
        self.fill(signed)
        store.run("volume", "create", "/vol1")
        store.run("bucket", "create", "/vol1/hidden")
        refused = store.run("browse", "/vol1/hidden", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("amphora bucket link /vol1/hidden /s3v/hidden", refused.stderr)
        store.run("bucket", "link", "/s3v/photos", "/s3v/shared")
        address = store.run("browse", "/s3v/photos", "--expires", "3600").stdout.strip()
        self.assertNotIn(key["awsSecret"], address)
        self.assertIn("/shared?", store.run("browse", "/s3v/shared").stdout)
        page, inside = self.drive(
            {"url": address, "download": True},
            {"url": address, "follow": ["2025/", "summer/", "2025", "index.html"][:3], "scripts": False})
        for name, shown in HOSTILE.items():
            self.assertEqual(page["downloads"][shown]["sha256"], sha256(name.encode()))
        self.assertEqual(inside["here"], "2025")
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
        for link in page["links"]:
            own = urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)
            for field in ("X-Amz-Date", "X-Amz-Expires", "X-Amz-Credential"):
                self.assertEqual(own[field], query[field], link)
        plain = S3(store.url)
        self.addCleanup(plain.close)
        refused = plain.request("GET", "/photos?browser=true")
        self.assertEqual(refused.status, 403)
        self.assertTrue(refused.headers["Content-Type"].startswith("text/html"))
        for link in page["links"][:3]:
            target = link if link.startswith("/") else "/photos" + link
            self.assertEqual(plain.request("GET", target.partition("?")[0]).status, 403)
            self.assertEqual(plain.request("GET", target[:-1] + ("0" if target[-1] != "0" else "1")).status,
                             403)
        store.run("s3", "revokesecret")
        split = urllib.parse.urlsplit(address)
        self.assertEqual(plain.request("GET", f"{split.path}?{split.query}").status, 403)

    def test_only_true_opens_it_and_nothing_is_written_by_it(self):
        store = self.start()
        self.assertEqual(store.s3.request("GET", "/photos?browser=false").status, 400)
        missing = store.s3.request("GET", "/nobody?browser=true")
        self.assertEqual(missing.status, 404)
        self.assertTrue(missing.headers["Content-Type"].startswith("text/html"))
        self.assertIn("default-src 'none'", missing.headers["Content-Security-Policy"])
        self.assertIn(b"<h1>404 Not Found</h1>", missing.body)
        self.assertEqual(store.s3.request("GET", "/nobody?browser=false").headers["Content-Type"], "application/xml")
        self.assertEqual(store.s3.request("HEAD", "/photos?browser=true").status, 200)
        for method in ("PUT", "POST", "DELETE"):
            self.assertEqual(store.s3.request(method, "/photos?browser=true").status, 501)
        self.assertEqual(store.s3.request("GET", "/photos?browser=true&download=none").status, 404)
        self.assertEqual(store.s3.request("GET", "/photos?browser=true&prefix=" + "x" * 1025).status, 400)


if __name__ == "__main__":
    unittest.main()
