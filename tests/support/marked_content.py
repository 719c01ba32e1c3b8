"""Content that says of each 4 KiB block whose it is: file, version, place, and filler that follows from these.

So a reader can tell what a crash left: a block of another file, of a version that never was, in a wrong place
or damaged is found whatever the size. A block of zeros is version 0: a hole that nobody wrote.
"""

import hashlib
import struct
from dataclasses import dataclass

BLOCK = 4096
HEAD = struct.Struct(">8s16sII")  # mark, file, version, number of the block
MARK = b"AMPHORA\n"
HOLE = 0


class Foreign(Exception):
    """A block that is not this file's, or is damaged."""


def identity(name):
    return hashlib.sha256(name.encode()).digest()[:16]


def make_block(name, version, number):
    head = HEAD.pack(MARK, identity(name), version, number)
    return head + hashlib.shake_128(head).digest(BLOCK - HEAD.size)


def make(name, version, size, first=0):
    """`size` bytes of `name` in `version`, from block `first` on."""
    blocks = (make_block(name, version, first + i) for i in range(-(-size // BLOCK)))
    return b"".join(blocks)[:size]


@dataclass(frozen=True)
class Found:
    """What a reader saw: the size, and each block's version. A tail too short to carry a head has None."""

    size: int
    versions: tuple


def parse(name, data):
    """Raises Foreign unless each block is one that some version of `name` has at that place."""
    versions = []
    for number, at in enumerate(range(0, len(data), BLOCK)):
        piece = data[at : at + BLOCK]
        if not piece.strip(b"\0"):
            versions.append(HOLE)
            continue
        if len(piece) < HEAD.size:
            versions.append(None)
            continue
        mark, owner, version, place = HEAD.unpack_from(piece)
        if mark != MARK or owner != identity(name) or place != number:
            raise Foreign(f"{name}: block {number} is of another file or place: {piece[:HEAD.size].hex()}")
        if piece != make_block(name, version, number)[: len(piece)]:
            raise Foreign(f"{name}: block {number} of version {version} is damaged")
        versions.append(version)
    return Found(len(data), tuple(versions))


@dataclass(frozen=True)
class Content:
    """What may be found: a size from `least` to `most`, and for each block the versions that it may have."""

    least: int
    most: int
    versions: tuple

    @classmethod
    def whole(cls, version, size):
        return cls(size, size, (frozenset([version]),) * -(-size // BLOCK))

    @classmethod
    def beginning(cls, version, size):
        """What was written and not synced: any beginning of it."""
        return cls(0, size, (frozenset([version]),) * -(-size // BLOCK))

    @classmethod
    def of(cls, found):
        """Exactly what was found."""
        return cls(found.size, found.size, tuple(frozenset([v]) for v in found.versions))

    def matches(self, found):
        return self.least <= found.size <= self.most and all(
            version is None or version in wanted or None in wanted
            for version, wanted in zip(found.versions, self.versions))
