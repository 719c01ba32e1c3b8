"""Clients that hold connections and do little with them: idle ones, and slow ones in each of their three ways
(a header, a body, an answer, a few bytes at a time). A slow one that got its answer begins again. One thread
feeds them all.

    with SlowClients(url, "/bucket/key", idle=1000, slow=100) as clients:
        ...the daemon serves others...
    clients.answers   # the status of every request of a slow client
"""

import resource
import select
import socket
import threading
import time
import urllib.parse

STEP_S = 0.05  # between two pieces of one client
PIECE = 40     # bytes of a header or body
READ = 2000    # bytes of an answer
BODY = b"s" * 4000
LIMIT_S = 120


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Slow:
    """One slow connection: sends `request` in pieces behind its first `hurried` bytes, reads its answer so."""

    def __init__(self, address, request, hurried):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(address)
        self.socket.settimeout(LIMIT_S)
        self.socket.sendall(request[:hurried])
        self.rest = request[hurried:]
        self.poll = select.poll()  # select(2) knows no descriptor above 1,023
        self.poll.register(self.socket, select.POLLIN)
        self.answer = b""
        self.done = False

    def step(self):
        if self.rest:
            self.socket.sendall(self.rest[:PIECE])
            self.rest = self.rest[PIECE:]
        elif self.poll.poll(0):
            self.read(READ)

    def finish(self):
        """To the end, as fast as it goes."""
        self.socket.sendall(self.rest)
        while not self.done:
            self.read(1 << 16)

    def read(self, size):
        piece = self.socket.recv(size)
        self.answer = (self.answer + piece)[:64]
        if not piece:
            self.done = True
            self.socket.close()

    def status(self):
        return int(self.answer.split()[1]) if self.answer else 0


class SlowClients:
    """`path` + "-large" must be an object of some MiB."""

    def __init__(self, url, path, idle, slow):
        parts = urllib.parse.urlsplit(url)
        self.address, self.host, self.path = (parts.hostname, parts.port), parts.netloc, path
        self.idle = [socket.create_connection(self.address) for _ in range(idle)]
        self.slow = [self.begin(i) for i in range(slow)]
        self.answers = []
        self.stopping = threading.Event()
        self.failure = None
        self.feeder = threading.Thread(target=self.feed)

    def begin(self, number):
        common = f"Host: {self.host}\r\nConnection: close\r\n"
        if number % 3 == 0:  # a slow header
            padding = "".join(f"x-padding-{i}: {'p' * 60}\r\n" for i in range(40))
            return Slow(self.address, f"GET {self.path} HTTP/1.1\r\n{padding}{common}\r\n".encode(), 20)
        if number % 3 == 1:  # a slow body
            head = f"PUT {self.path}-{number} HTTP/1.1\r\n{common}Content-Length: {len(BODY)}\r\n\r\n".encode()
            return Slow(self.address, head + BODY, len(head))
        request = f"GET {self.path}-large HTTP/1.1\r\n{common}\r\n".encode()  # a slow reader
        return Slow(self.address, request, len(request))

    def feed(self):
        try:
            self.feed_all()
        except Exception as failure:  # told to the caller at the end
            self.failure = failure

    def feed_all(self):
        while not self.stopping.is_set():
            began = time.monotonic()
            for number, client in enumerate(self.slow):
                client.step()
                if client.done:
                    self.answers.append(client.status())
                    self.slow[number] = self.begin(number)
            self.stopping.wait(max(0, STEP_S - (time.monotonic() - began)))

    def __enter__(self):
        self.feeder.start()
        return self

    def __exit__(self, kind, error, trace):
        self.stopping.set()
        self.feeder.join()
        try:
            if self.failure is not None:
                raise self.failure
            if kind is None:
                for client in self.slow:
                    client.finish()
                    self.answers.append(client.status())
        finally:
            for connection in self.idle + [client.socket for client in self.slow]:
                connection.close()
