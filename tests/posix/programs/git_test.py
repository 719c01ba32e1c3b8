"""git in the mount: clone, gc, fsck, worktrees, rebase, the cache of untracked files, and an index that stays fresh.

The repository is made on the spot, on XFS beside the store, by `git fast-import` from a seeded stream.
AMPHORA_TEST_SCALE is the part of the commits.
"""

import os
import random
import unittest

from posix_mount import MODES, posix_mount
from power_disk import PowerDisk
from scale import scaled

COMMITS, FILES = 100, 300
LARGE = 6 << 20  # bytes: stored in a blob, so read in passthrough
ENVIRONMENT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
               **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", "A Person"), ("EMAIL", "person@example.com"))}}

SHOW_TREE = ("find . -name .git -prune -o -printf '%p %y %m %l\\n' | sort && "
             "find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha1sum")


def setUpModule():
    if os.geteuid() != 0:
        raise unittest.SkipTest("needs root and loop devices")


def data(content):
    return b"data %d\n" % len(content) + content + b"\n"


def history(seed, commits):
    """A fast-import stream: a large file, an executable, a symlink, and then commits that each change ten of FILES
    files or remove one; every tenth is on a branch of its own that the next one merges."""
    chance = random.Random(seed)
    mark = 0

    def commit(branch, parents, changes):
        nonlocal mark
        mark += 1
        head = b"commit refs/heads/%s\nmark :%d\ncommitter A Person <person@example.com> %d +0000\n" % (
            branch, mark, 1_600_000_000 + mark)
        links = b"".join((b"from" if at == 0 else b"merge") + b" :%d\n" % parent for at, parent in enumerate(parents))
        return head + data(b"Change %d" % mark) + links + changes

    def text():
        return data("\n".join(f"{chance.random()}" for _ in range(chance.randrange(100))).encode())

    yield commit(b"main", [], b"".join(
        b"M %s inline %s\n%s" % each for each in (
            (b"100644", b"large.bin", data(chance.randbytes(LARGE))), (b"100755", b"tool", data(b"#!/bin/sh\n")),
            (b"120000", b"link", data(b"dir3/file3")))) + b"".join(
        b"M 100644 inline dir%d/file%d\n%s" % (number % 20, number, text()) for number in range(FILES)))
    tip = mark
    for number in range(commits):
        changed = b"".join(b"M 100644 inline dir%d/file%d\n%s" % (at % 20, at, text())
                           for at in chance.sample(range(FILES), 10))
        if number % 10 == 0:
            yield commit(b"topic%d" % number, [tip], b"M 100644 inline topic/%d\n%s" % (number, text()))
            yield commit(b"main", [tip, mark], changed)
        else:
            at = chance.randrange(FILES)
            yield commit(b"main", [tip], changed if number % 3 else b"D dir%d/file%d\n" % (at % 20, at))
        tip = mark


class GitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.disk = cls.enterClassContext(PowerDisk(4096))
        cls.seed = random.randrange(1 << 31)
        print(f"seed {cls.seed}")

    def git(self, mount, folder, *command, check=True):
        return mount.run("git", "-C", mount.point / folder, *command, environment=ENVIRONMENT, check=check)

    def tree(self, mount, folder):
        """What is checked out: digests of content, modes and targets of links."""
        return mount.run("sh", "-c", f"cd {mount.point / folder} && {SHOW_TREE}").stdout

    def clone(self, mount):
        origin = mount.reference / "origin.git"
        mount.run("git", "init", "-q", "--bare", "-b", "main", origin, environment=ENVIRONMENT)
        stream = mount.reference / "stream"
        stream.write_bytes(b"".join(history(self.seed, scaled(COMMITS, 50))))
        mount.run("sh", "-c", f"git -C {origin} fast-import --quiet < {stream}", environment=ENVIRONMENT)
        mount.run("git", "clone", "-q", f"file://{origin}", mount.reference / "native", environment=ENVIRONMENT)
        mount.run("git", "clone", "-q", f"file://{origin}", mount.point / "clone", environment=ENVIRONMENT)
        native = mount.run("sh", "-c", f"cd {mount.reference / 'native'} && {SHOW_TREE}").stdout
        self.assertEqual(self.tree(mount, "clone"), native)

    def expect_whole(self, mount, folder):
        self.assertEqual(self.git(mount, folder, "status", "--porcelain", "--ignored").stdout, "")
        self.git(mount, folder, "fsck", "--strict", "--full", "--no-dangling")

    def expect_fresh_index(self, mount, folder):
        """Without a refresh of the index: size, times, inode number and mode are as git saw them when it wrote."""
        self.assertEqual(self.git(mount, folder, "diff-files").stdout, "")

    def worktrees(self, mount):
        self.git(mount, "clone", "worktree", "add", "-q", "-b", "side", "../side", "main~20")
        (mount.point / "side" / "new").write_text("new\n")
        self.git(mount, "side", "add", "new")
        self.git(mount, "side", "commit", "-q", "-m", "Add new")
        self.git(mount, "side", "rebase", "-q", "main")
        self.expect_whole(mount, "side")
        self.git(mount, "clone", "merge", "-q", "--ff-only", "side")
        self.git(mount, "clone", "worktree", "remove", "../side")
        self.assertFalse((mount.point / "side").exists())
        self.assertEqual(self.git(mount, "clone", "worktree", "list").stdout.count("\n"), 1)

    def back_and_forth(self, mount):
        """Checkouts of what is far apart, changes put aside and taken back, all of it thrown away."""
        before = self.tree(mount, "clone")
        self.git(mount, "clone", "checkout", "-q", "main~40")
        (mount.point / "clone" / "tool").write_text("changed\n")
        self.git(mount, "clone", "stash", "-q")
        self.git(mount, "clone", "checkout", "-q", "main")
        self.git(mount, "clone", "rm", "-rq", ".")
        self.git(mount, "clone", "reset", "-q", "--hard")
        self.git(mount, "clone", "clean", "-fdxq")
        self.git(mount, "clone", "stash", "drop", "-q")
        self.assertEqual(self.tree(mount, "clone"), before)

    def test_a_clone_lives_through_all_that_git_does(self):
        for mode in (MODES[0], MODES[3]):
            with self.subTest(mode=mode.name), posix_mount(self.disk, mode) as mount:
                self.clone(mount)
                self.expect_whole(mount, "clone")
                self.git(mount, "clone", "gc", "-q", "--aggressive", "--prune=now")
                self.expect_whole(mount, "clone")
                self.worktrees(mount)
                self.back_and_forth(mount)
                self.expect_whole(mount, "clone")
                self.expect_fresh_index(mount, "clone")
                mount.remount()
                self.expect_fresh_index(mount, "clone")
                self.git(mount, "clone", "repack", "-adfq", "--depth=50")
                self.expect_whole(mount, "clone")

    def test_local_clones_share_objects_by_hard_links(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            self.clone(mount)
            mount.run("git", "clone", "-q", "--local", "clone", "second", environment=ENVIRONMENT)
            packs = list((mount.point / "second/.git/objects/pack").glob("*.pack"))
            self.assertEqual([pack.stat().st_nlink for pack in packs], [2])
            self.assertEqual(self.tree(mount, "second"), self.tree(mount, "clone"))
            mount.run("rm", "-rf", "clone")
            self.expect_whole(mount, "second")

    def test_git_finds_directory_times_good_enough_for_its_cache_of_untracked_files(self):
        with posix_mount(self.disk, MODES[0]) as mount:
            mount.run("git", "init", "-q", "-b", "main", "small", environment=ENVIRONMENT)
            said = self.git(mount, "small", "update-index", "--test-untracked-cache").stdout
            self.assertIn("OK", said)


if __name__ == "__main__":
    unittest.main()
