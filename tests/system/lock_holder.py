"""A process that takes and gives up locks as it is told, a line a command, and says what came of it:

    open NAME PATH [r]          lock NAME KIND TYPE FIRST LENGTH [wait]
    unlock NAME KIND FIRST LENGTH         test NAME FIRST LENGTH
    close NAME                            write NAME TEXT      read NAME

KIND: posix, ofd or flock. TYPE: shared or exclusive. Answers: "ok …", or the errno's name."""

import errno
import fcntl
import os
import signal
import struct
import sys

F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38
FLOCK = "hhqqi4x"


class Interrupted(Exception):
    pass


def on_alarm(_number, _frame):
    raise Interrupted


def record(kind, first, length):
    return struct.pack(FLOCK, kind, os.SEEK_SET, first, length, 0)


def set_lock(fd, kind, how, first, length, wait):
    if kind == "flock":
        wanted = {"shared": fcntl.LOCK_SH, "exclusive": fcntl.LOCK_EX, "none": fcntl.LOCK_UN}[how]
        fcntl.flock(fd, wanted | (0 if wait else fcntl.LOCK_NB))
        return
    wanted = {"shared": fcntl.F_RDLCK, "exclusive": fcntl.F_WRLCK, "none": fcntl.F_UNLCK}[how]
    command = {("posix", False): fcntl.F_SETLK, ("posix", True): fcntl.F_SETLKW,
               ("ofd", False): F_OFD_SETLK, ("ofd", True): F_OFD_SETLKW}[(kind, wait)]
    fcntl.fcntl(fd, command, record(wanted, first, length))


def run(files, words):
    command, name, *rest = words
    if command == "open":
        files[name] = os.open(rest[0], os.O_RDONLY if rest[1:] == ["r"] else os.O_RDWR | os.O_CREAT, 0o644)
    elif command == "close":
        os.close(files.pop(name))
    elif command == "lock":
        kind, how, first, length = rest[0], rest[1], int(rest[2]), int(rest[3])
        set_lock(files[name], kind, how, first, length, rest[4:] == ["wait"])
    elif command == "unlock":
        set_lock(files[name], rest[0], "none", int(rest[1]), int(rest[2]), False)
    elif command == "test":
        answer = fcntl.fcntl(files[name], fcntl.F_GETLK, record(fcntl.F_WRLCK, int(rest[0]), int(rest[1])))
        kind, _, first, length, process = struct.unpack(FLOCK, answer)
        return f"ok {kind == fcntl.F_UNLCK} {first} {length} {process}"
    elif command == "write":
        os.pwrite(files[name], rest[0].encode(), 0)
    elif command == "read":
        return "ok " + os.pread(files[name], 100, 0).decode()
    else:
        raise ValueError(command)
    return "ok"


def main():
    # An alarm ends a wait: the system call is not begun again, since the handler raises.
    signal.signal(signal.SIGALRM, on_alarm)
    files = {}
    for line in sys.stdin:
        try:
            answer = run(files, line.split())
        except Interrupted:
            answer = "EINTR"
        except OSError as error:
            answer = "EDEADLK" if error.errno == errno.EDEADLK else errno.errorcode[error.errno]
        print(answer, flush=True)


if __name__ == "__main__":
    main()
