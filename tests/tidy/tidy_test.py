"""The house's rules as a test: layers, foreign headers, sizes, opening comments, what must not be committed.

Each rule reads the tracked files and lists every offence, so that one run shows them all. A rule that
cannot fail proves nothing: RulesCanFail gives each one an offender.
"""

import functools
import re
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 700
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100

# Layer -> what its quoted includes may begin with (docs/architecture.md).
LAYERS = {
    "meta": ("meta/",),
    "fs": ("fs/", "meta/"),
    "mount": ("mount/", "fs/", "meta/base/"),
    "s3": ("s3/", "fs/", "meta/base/"),
    "cli": ("cli/", "mount/", "s3/", "fs/", "meta/base/"),
}

# The engine's face: all of fs/ that mount/, s3/ and cli/ may include. Digests are a library of their own.
FACE = {"fs/engine.h", "fs/admin.h", "fs/buckets.h", "fs/changes.h", "fs/credentials.h", "fs/files.h",
        "fs/handle.h", "fs/objects.h", "fs/types.h", "fs/uploads.h", "fs/data/digests.h"}

# Foreign header -> the folders that may include it. Tests and benchmarks stand outside of the layers.
HOMES = {
    "fuse": ("mount/",),
    "linux/fuse": ("mount/",),
    "rocksdb/": ("meta/",),
    "google/protobuf": ("meta/", "fs/"),
    "boost/beast": ("s3/", "cli/control/"),
    "boost/asio": ("s3/", "cli/control/"),
    "boost/url": ("s3/",),
    "pugixml": ("s3/",),
    "prometheus/": ("s3/",),
    "openssl/": ("fs/", "s3/auth/", "s3/tls.cc"),
    "CLI/": ("cli/",),
    "toml++": ("cli/",),
    "nlohmann/": ("cli/",),
    "spdlog/": ("meta/base/",),
}

# What a header that another folder sees must not pull in, not even through a third one.
HEAVY = ("rocksdb/", "google/protobuf", "boost/beast", "boost/asio", "spdlog/")

FORBIDDEN_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
# This file names the words themselves.
WORDS_EXEMPT = {"tests/tidy/tidy_test.py"}

# An address in the tree is this machine's own, an example, or the name of S3's XML or of SVG: nothing is
# fetched by address, only by package name through the ordinary clients.
ADDRESS = re.compile(r"https?://([A-Za-z0-9][A-Za-z0-9.-]*)")
PLAIN_ADDRESS = re.compile(r"127(\.[0-9.]+)?|([a-z0-9-]+\.)*localhost|host|amphora|"
                           r"([a-z0-9-]+\.)*example(\.(com|org|net))?|s3\.amazonaws\.com|www\.w3\.org")
# Where every Debian machine has something; a path below another root is one machine's own.
COMMON_ROOTS = {"/", "/home", "/media", "/mnt", "/opt", "/root", "/run", "/srv", "/tmp", "/usr", "/var"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def tracked_files():
    """Path -> text of every tracked text file."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True,
                           check=True).stdout.decode().split("\0")
    files = {}
    for name in filter(None, names):
        try:
            files[name] = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return files


def is_cpp(name):
    return name.endswith((".h", ".cc"))


def layer_offences(files):
    for name, text in files.items():
        allowed = LAYERS.get(name.split("/")[0])
        if not is_cpp(name) or allowed is None:
            continue
        for quote, path in INCLUDE.findall(text):
            if quote != '"':
                continue
            if not path.startswith(allowed):
                yield f"{name} includes {path}: its layer may not"
            elif path.startswith("fs/") and not name.startswith("fs/") and path not in FACE:
                yield f"{name} includes {path}: that is inside the engine, not its face"


def seen_from_outside(files):
    """Headers that a file of another layer includes, and all that these include."""
    waiting = [path for name, text in files.items() if is_cpp(name) and name.split("/")[0] in LAYERS
               for quote, path in INCLUDE.findall(text)
               if quote == '"' and path in files and path.split("/")[0] != name.split("/")[0]]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [p for quote, p in INCLUDE.findall(files[name]) if quote == '"' and p in files]
    return seen


def home_offences(files):
    for name, text in files.items():
        if not is_cpp(name) or name.split("/")[0] not in LAYERS:
            continue
        for quote, path in INCLUDE.findall(text):
            for header, homes in HOMES.items():
                if quote == "<" and path.startswith(header) and not name.startswith(homes):
                    yield f"{name} includes <{path}>, whose home is {' and '.join(homes)}"
    for name in sorted(seen_from_outside(files)):
        for _, path in INCLUDE.findall(files[name]):
            if path.startswith(HEAVY) or path.endswith(".pb.h"):
                yield f"{name} is seen by other folders and includes {path}"


def size_offences(files):
    for name, text in files.items():
        if not is_cpp(name) and not name.endswith(".py"):
            continue
        lines = text.split("\n")
        if len(lines) > MAX_FILE_LINES:
            yield f"{name} has {len(lines)} lines, the limit is {MAX_FILE_LINES}"
        for number, line in enumerate(lines, 1):
            if len(line) > MAX_COLUMNS + (20 if name.endswith(".py") else 0):
                yield f"{name}:{number} has {len(line)} columns"


def function_offences(files):
    """By layout: a body at file level begins after the last unindented line and ends with a lone '}'."""
    for name, text in files.items():
        if not name.endswith(".cc") or name.split("/")[0] not in LAYERS:
            continue
        start = None
        for number, line in enumerate(text.split("\n"), 1):
            if line == "}" and start and number - start + 1 > MAX_FUNCTION_LINES:
                yield f"{name}:{start} is a function of {number - start + 1} lines"
            if re.match(r"\w", line):
                is_type = re.match(r"(namespace|class|struct|enum|union|public|private|protected)\b", line)
                start = None if is_type else number


def comment_offences(files):
    for name, text in files.items():
        if is_cpp(name):
            has_header = name.endswith(".cc") and name[:-3] + ".h" in files
            if not text.startswith(("//", "/*")) and not has_header:
                yield f"{name} does not open with what it is for"
        elif name.endswith(".py") and name.split("/")[-1] != "__init__.py":
            body = text.split("\n", 1)[1] if text.startswith("#!") else text
            if not body.startswith(('"""', 'r"""', "#")):
                yield f"{name} does not open with what it is for"
        elif text.startswith("#!") and "sh" in text.split("\n")[0] and len(text.split("\n")) > 1:
            if not text.split("\n")[1].startswith("#"):
                yield f"{name} does not open with what it is for"


def word_offences(files):
    for name, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if name not in WORDS_EXEMPT and FORBIDDEN_WORDS.search(line):
                yield f"{name}:{number} leaves work undone: {line.strip()[:60]}"


def output_of(*command):
    """What a package client says of itself; nothing when it is not installed."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""


@functools.cache
def telling_folders(checkout):
    """The folders that tell where a checkout lies. One directly under / tells nothing: its name may be any word of
    ours, as a checkout below /check showed, since the control socket has a /check too."""
    return sorted(str(folder) for folder in (checkout, *checkout.parents)
                  if len(folder.parts) > 2 and str(folder) not in COMMON_ROOTS)


def places_of_this_machine():
    """The hosts that this machine's package clients ask, and the paths that only it has."""
    clients = [("apt-get", "indextargets", "--format", "$(REPO_URI)"), ("go", "env", "GOPROXY"),
               ("npm", "config", "get", "registry"), ("pip", "config", "list"),
               ("python3", "-c", "from pip._internal.models.index import PyPI; print(PyPI.url)")]
    texts = [output_of(*client) for client in clients]
    hosts = {host.lower() for text in texts for host in ADDRESS.findall(text)}
    return sorted(host for host in hosts if not PLAIN_ADDRESS.fullmatch(host)), telling_folders(ROOT)


def place_offences(files, places=None):
    hosts, paths = places or places_of_this_machine()
    named = [re.compile(rf"(?<![\w.-]){re.escape(host)}(?![\w-])", re.I) for host in hosts]
    named += [re.compile(rf"(?<![\w.]){re.escape(path)}(?![\w-])") for path in paths]
    for name, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            unknown = [host for host in ADDRESS.findall(line) if not PLAIN_ADDRESS.fullmatch(host)]
            if unknown or any(pattern.search(line) for pattern in named):
                yield f"{name}:{number} names a place: {line.strip()[:60]}"


def readme_offences(files):
    folders = {name.split("/")[0] for name in files if "/" in name}
    for folder in sorted(folders - {".ci", "docs", "cmake"}):
        if f"{folder}/README.md" not in files:
            yield f"{folder}/ has no README.md"


RULES = [layer_offences, home_offences, size_offences, function_offences, comment_offences, word_offences,
         place_offences, readme_offences]


class TidyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.files = tracked_files()

    def check(self, rule):
        offences = list(rule(self.files))
        self.assertFalse(offences, "\n" + "\n".join(offences))

    def test_layers_include_downwards_only(self):
        self.check(layer_offences)

    def test_foreign_headers_stay_at_home(self):
        self.check(home_offences)

    def test_files_and_lines_are_short(self):
        self.check(size_offences)

    def test_functions_fit_a_screen(self):
        self.check(function_offences)

    def test_files_open_with_what_they_are_for(self):
        self.check(comment_offences)

    def test_nothing_is_left_undone(self):
        self.check(word_offences)

    def test_nothing_is_bound_to_one_machine(self):
        self.check(place_offences)

    def test_folders_have_a_readme(self):
        self.check(readme_offences)


class RulesCanFail(unittest.TestCase):
    def test_each_rule_finds_its_offender(self):
        long_function = "void F() {\n" + "  G();\n" * MAX_FUNCTION_LINES + "}\n"
        offenders = {
            layer_offences: [{"s3/a.cc": '#include "mount/session.h"'},
                             {"mount/a.cc": '#include "meta/kv.h"'},
                             {"s3/a.cc": '#include "fs/core.h"'}],
            home_offences: [{"fs/a.cc": "#include <boost/beast/core.hpp>"},
                            {"meta/a.h": '#include "meta/b.h"', "meta/b.h": "#include <rocksdb/db.h>",
                             "fs/a.cc": '#include "meta/a.h"'}],
            size_offences: [{"fs/a.cc": "\n" * MAX_FILE_LINES}, {"fs/a.cc": "x" * (MAX_COLUMNS + 1)}],
            function_offences: [{"fs/a.cc": long_function}],
            comment_offences: [{"fs/a.h": "#pragma once\n"}, {"a.py": "import sys\n"},
                               {"a": "#!/bin/sh\necho\n"}],
            word_offences: [{"a.md": "TO" + "DO later"}],
            place_offences: [{"a.sh": "curl https:" + "//packages.invalid/x"}],
            readme_offences: [{"fs/a.cc": ""}],
        }
        self.assertEqual(set(offenders), set(RULES))
        for rule, cases in offenders.items():
            for files in cases:
                with self.subTest(rule=rule.__name__, files=list(files)):
                    self.assertTrue(list(rule(files)))

    def test_a_folder_directly_under_the_root_tells_nothing(self):
        self.assertEqual(telling_folders(Path("/a/word/deep")), ["/a/word", "/a/word/deep"])
        self.assertEqual(telling_folders(Path("/meta")), [])

    def test_hosts_and_paths_of_the_machine_are_found_without_a_scheme(self):
        places = (["mirror.invalid"], ["/data/checkout"])
        for line in ("deb mirror.invalid bookworm", "cd /data/checkout/meta"):
            with self.subTest(line=line):
                self.assertTrue(list(place_offences({"a.sh": line}, places)))
        self.assertFalse(list(place_offences({"a.sh": "echo /bucket/data mirror http://127.0.0.1:9878"}, places)))


if __name__ == "__main__":
    unittest.main()
