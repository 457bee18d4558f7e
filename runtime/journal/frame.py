r"""Frames: length, checksum and one line of JSON, so that torn and damaged bytes are noticed.

A frame is text, for people with `less` and `grep`:

    0000002a 9ae0daaf {"n":17,"t":1763683200000000000, ...}\n

Eight hexadecimal digits with the length of the JSON in bytes, eight with the CRC-32 of those digits
and the JSON, the JSON, a line feed. The JSON itself never contains a line feed.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO
from zlib import crc32

HEAD = re.compile(rb"([0-9a-f]{8}) ([0-9a-f]{8}) ")
HEAD_SIZE = 18
LIMIT = 256 << 20
"""Bytes that a frame's JSON may have; a greater length is damage, whatever the checksum says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """Bytes that are no frame."""

    problem: str
    """What is wrong with them."""


def encode_frame(payload: bytes) -> bytes:
    """Return the frame around one line of JSON."""
    size = b"%08x" % len(payload)
    return b"%b %08x %b\n" % (size, crc32(payload, crc32(size)), payload)


def read_frame(stream: BinaryIO) -> bytes | Damage | None:
    """Return the JSON of the next frame, what is wrong instead, or None at the end."""
    head = stream.read(HEAD_SIZE)
    if not head:
        return None
    if len(head) < HEAD_SIZE:
        return Damage(problem=f"{len(head)} bytes are no frame")
    match = HEAD.fullmatch(head)
    if match is None:
        return Damage(problem="no frame begins here")
    size = int(match[1], 16)
    if size > LIMIT:
        return Damage(problem=f"a frame of {size} bytes is beyond the limit of {LIMIT}")
    problem = _problem(match, body := stream.read(size + 1), size)
    return Damage(problem=problem) if problem else body[:-1]


def _problem(head: re.Match[bytes], body: bytes, size: int) -> str | None:
    """Return what is wrong with the JSON of a frame and its line feed; None if nothing is."""
    if len(body) <= size:
        return f"a frame of {size} bytes ends after {len(body)}"
    if not body.endswith(b"\n"):
        return "a frame does not end where its length says"
    if crc32(body[:-1], crc32(head[1])) != int(head[2], 16):
        return "the checksum is wrong"
    return None


def holds_frame(stream: BinaryIO, start: int) -> bool:
    """Return whether a whole frame begins anywhere after a place in the stream."""
    stream.seek(start)
    rest = stream.read()
    for match in HEAD.finditer(rest):
        stream.seek(start + match.start())
        if isinstance(read_frame(stream), bytes):
            return True
    return False
