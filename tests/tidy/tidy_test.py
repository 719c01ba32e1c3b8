"""The house's rules as a test: layers, foreign headers, sizes, opening comments, what must not be committed.

Each rule reads the tracked files and lists every offence, so that one run shows them all. A rule that
cannot fail proves nothing: RulesCanFail gives each one an offender.
"""

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
        "fs/handle.h", "fs/objects.h", "fs/types.h", "fs/data/digests.h"}

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
    "openssl/": ("fs/", "s3/auth/"),
    "CLI/": ("cli/",),
    "toml++": ("cli/",),
    "nlohmann/": ("cli/",),
    "spdlog/": ("meta/base/",),
}

# What a header that another folder sees must not pull in, not even through a third one.
HEAVY = ("rocksdb/", "google/protobuf", "boost/beast", "boost/asio", "spdlog/")

FORBIDDEN_WORDS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
FORBIDDEN_PLACES = re.compile(
    r"(deb|security|snapshot)\.debian\.org|pypi\.org|pythonhosted\.org|proxy\.golang\.org|"
    r"registry\.npmjs|crates\.io/api|static\.crates\.io|repo\.maven|(?<![\w.])/work/")
# Host names in other texts are examples or standards' addresses; these files name the rule itself.
PLACES_EXEMPT = {"tests/tidy/tidy_test.py"}

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
            if name not in PLACES_EXEMPT and FORBIDDEN_WORDS.search(line):
                yield f"{name}:{number} leaves work undone: {line.strip()[:60]}"
            if name not in PLACES_EXEMPT and FORBIDDEN_PLACES.search(line):
                yield f"{name}:{number} names a place of one machine: {line.strip()[:60]}"


def readme_offences(files):
    folders = {name.split("/")[0] for name in files if "/" in name}
    for folder in sorted(folders - {".ci", "docs", "cmake"}):
        if f"{folder}/README.md" not in files:
            yield f"{folder}/ has no README.md"


RULES = [layer_offences, home_offences, size_offences, function_offences, comment_offences, word_offences,
         readme_offences]


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

    def test_nothing_is_left_undone_or_bound_to_one_machine(self):
        self.check(word_offences)

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
            word_offences: [{"a.md": "TO" + "DO later"}, {"a.md": "see /wo" + "rk/main"}],
            readme_offences: [{"fs/a.cc": ""}],
        }
        self.assertEqual(set(offenders), set(RULES))
        for rule, cases in offenders.items():
            for files in cases:
                with self.subTest(rule=rule.__name__, files=list(files)):
                    self.assertTrue(list(rule(files)))


if __name__ == "__main__":
    unittest.main()
