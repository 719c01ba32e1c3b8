"""What programs do with files, a function a task: for comparing file systems. Each raises when the file system
refuses, and answers a text when it goes along but does something else than a local disk would.

A task gets a fresh directory of the file system and `other`, a function that reads a file's bytes by S3.
"""

import ctypes
import fcntl
import mmap
import os
import shutil
import sqlite3
import stat
import subprocess

BLOCK = 4096


def expect(found, wanted, otherwise=None):
    """None, or what was found instead."""
    return None if found == wanted else otherwise or f"found {found!r:.60}"


def created(folder, data=b"0123456789"):
    path = folder / "file"
    path.write_bytes(data)
    return path


def write_and_read(folder, _):
    return expect(created(folder).read_bytes(), b"0123456789")


def replace_whole(folder, _):
    created(folder)
    return expect(created(folder, b"new").read_bytes(), b"new")


def append(folder, _):
    with open(created(folder), "ab") as file:
        file.write(b"abc")
    return expect((folder / "file").read_bytes(), b"0123456789abc")


def write_in_the_middle(folder, _):
    with open(created(folder), "r+b") as file:
        file.seek(4)
        file.write(b"xy")
    return expect((folder / "file").read_bytes(), b"0123xy6789")


def cut_shorter(folder, _):
    os.truncate(created(folder), 4)
    return expect((folder / "file").read_bytes(), b"0123", "the file keeps its length")


def write_backwards(folder, _):
    with open(folder / "file", "wb") as file:
        for at in (2 * BLOCK, BLOCK, 0):
            file.seek(at)
            file.write(bytes([65 + at // BLOCK]) * BLOCK)
    return expect((folder / "file").read_bytes(), b"A" * BLOCK + b"B" * BLOCK + b"C" * BLOCK)


def write_by_mapping(folder, _):
    with open(created(folder, bytes(BLOCK)), "r+b") as file, mmap.mmap(file.fileno(), BLOCK) as view:
        view[:5] = b"bytes"
        view.flush()
    return expect((folder / "file").read_bytes()[:5], b"bytes")


def leave_a_hole(folder, _):
    with open(folder / "file", "wb") as file:
        file.truncate(1 << 30)
    found = os.stat(folder / "file")
    return expect((found.st_size, found.st_blocks < 1000), (1 << 30, True), f"the file has {found.st_size} bytes")


def rename_file(folder, _):
    os.rename(created(folder), folder / "renamed")
    return expect((folder / "renamed").read_bytes(), b"0123456789")


def rename_over(folder, _):
    created(folder)
    (folder / "new").write_bytes(b"new")
    os.rename(folder / "new", folder / "file")
    return expect((folder / "file").read_bytes(), b"new")


def rename_directory(folder, _):
    (folder / "one/two").mkdir(parents=True)
    (folder / "one/two/file").write_bytes(b"x")
    os.rename(folder / "one", folder / "renamed")
    return expect((folder / "renamed/two/file").read_bytes(), b"x")


def exclusive_create(folder, _):
    created(folder)
    try:
        os.close(os.open(folder / "file", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        return "made it a second time"
    except FileExistsError:
        return None


def unlink_while_open(folder, _):
    with open(created(folder), "rb") as file:
        os.unlink(folder / "file")
        return expect(file.read(), b"0123456789")


def symbolic_link(folder, _):
    created(folder)
    os.symlink("file", folder / "link")
    return expect((folder / "link").read_bytes(), b"0123456789")


def hard_link(folder, _):
    os.link(created(folder), folder / "other")
    return expect(os.stat(folder / "other").st_nlink, 2)


def named_pipe(folder, _):
    os.mkfifo(folder / "pipe")
    return expect(stat.S_ISFIFO(os.stat(folder / "pipe").st_mode), True)


def mode(folder, _):
    os.chmod(created(folder), 0o750)
    return expect(oct(os.stat(folder / "file").st_mode & 0o7777), "0o750", "the old mode stays")


def owner(folder, _):
    os.chown(created(folder), 1234, 5678)
    found = os.stat(folder / "file")
    return expect((found.st_uid, found.st_gid), (1234, 5678), "the old owner stays")


def times(folder, _):
    os.utime(created(folder), ns=(10**18, 10**18 + 5))
    return expect(os.stat(folder / "file").st_mtime_ns, 10**18 + 5, "the old time stays")


def attribute(folder, _):
    os.setxattr(created(folder), "user.note", b"text")
    return expect(os.getxattr(folder / "file", "user.note"), b"text")


def access_list(folder, _):
    subprocess.run(["setfacl", "-m", "u:1234:r", created(folder)], check=True, capture_output=True)
    text = subprocess.run(["getfacl", "-n", folder / "file"], check=True, capture_output=True, text=True).stdout
    return expect("user:1234:r--" in text, True)


def lock(folder, _):
    with open(created(folder), "rb") as one, open(folder / "file", "rb") as two:
        fcntl.flock(one, fcntl.LOCK_EX)
        try:
            fcntl.flock(two, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return "two locks at once"
        except BlockingIOError:
            return None


def reserve_space(folder, _):
    with open(folder / "file", "wb") as file:
        # Not posix_fallocate, which writes zeros where the file system refuses.
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.fallocate(file.fileno(), 0, ctypes.c_long(0), ctypes.c_long(1 << 20)) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return expect(os.stat(folder / "file").st_size, 1 << 20)


def seen_by_s3_before_close(folder, other):
    with open(folder / "file", "wb") as file:
        file.write(b"written")
        file.flush()
        return expect(other("file"), b"written", "S3 knows no such key yet")


def large_file(folder, _):
    data = os.urandom(1 << 20) * 20
    return expect(created(folder, data).read_bytes() == data, True)


def database(folder, _):
    with sqlite3.connect(folder / "data.sqlite") as connection:
        connection.execute("create table t (x)")
        connection.executemany("insert into t values (?)", [(i,) for i in range(100)])
        connection.commit()
        connection.execute("delete from t where x < 50")
    return expect(sqlite3.connect(folder / "data.sqlite").execute("select count(*) from t").fetchone(), (50,))


def archive(folder, _):
    """As `cp -a` and `tar` do: modes, times and links come along."""
    source = folder.parent / "source"
    source.mkdir()
    (source / "program").write_bytes(b"#!/bin/sh\n")
    os.chmod(source / "program", 0o755)
    os.utime(source / "program", (10**9, 10**9))
    os.symlink("program", source / "link")
    subprocess.run(["cp", "-a", source, folder / "copy"], check=True, capture_output=True)
    shutil.rmtree(source)
    found = os.stat(folder / "copy/link")
    return expect((oct(found.st_mode & 0o777), found.st_mtime), ("0o755", 1e9))


def clone(folder, _):
    run = lambda *a: subprocess.run(["git", "-c", "safe.directory=*", "-c", "user.name=x", "-c", "user.email=x", *a],
                                    check=True, capture_output=True, text=True).stdout
    run("init", "--quiet", folder / "origin")
    (folder / "origin/file").write_bytes(b"text")
    run("-C", folder / "origin", "add", "file")
    run("-C", folder / "origin", "commit", "--quiet", "-m", "first")
    run("clone", "--quiet", "--no-local", folder / "origin", folder / "clone")
    return expect(run("-C", folder / "clone", "status", "--porcelain"), "")


TASKS = {
    "write a new file and read it": write_and_read,
    "write a file of 20 MiB": large_file,
    "replace a whole file": replace_whole,
    "append to a file": append,
    "write in the middle of a file": write_in_the_middle,
    "write a file's blocks backwards": write_backwards,
    "cut a file shorter": cut_shorter,
    "write through a shared mapping": write_by_mapping,
    "a hole of 1 GiB takes no space": leave_a_hole,
    "reserve space (fallocate)": reserve_space,
    "rename a file": rename_file,
    "rename over a file": rename_over,
    "rename a directory that holds a tree": rename_directory,
    "create a name only if it is free (O_EXCL)": exclusive_create,
    "read on after the name was removed": unlink_while_open,
    "symbolic link": symbolic_link,
    "hard link": hard_link,
    "named pipe": named_pipe,
    "chmod stays": mode,
    "chown stays": owner,
    "utime stays, to the nanosecond": times,
    "extended attribute": attribute,
    "access control list": access_list,
    "one process's lock keeps others out": lock,
    "S3 sees what is written before the file is closed": seen_by_s3_before_close,
    "cp -a keeps modes, times and links": archive,
    "git: init, commit, clone": clone,
    "SQLite database": database,
}


def attempt(task, folder, other):
    """'yes', or why not: an errno's name, or what came out instead."""
    folder.mkdir()
    try:
        different = task(folder, other)
    except OSError as error:
        return f"no: {os.strerror(error.errno) if error.errno else error}"
    except sqlite3.Error as error:
        return f"no: {error}"
    except subprocess.CalledProcessError as error:
        said = error.stderr if isinstance(error.stderr, str) else error.stderr.decode(errors="replace")
        return f"no: {said.strip().splitlines()[-1].split(': ')[-1]}"  # a program's message, without its paths
    return "yes" if different is None else f"no: {different}"
