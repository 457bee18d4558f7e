"""Segments: the files of a journal. Each is named after, and begins with, its first record.

The first line is `callboard-journal 1`, with the version of the format; then come frames, of which
the first one is the segment's header, `{"first": N}`, and the others are records.

A crash can tear only what was being written: the end of the last segment. It is a *torn tail* if no
whole frame follows; anything else that is no frame is corruption, and an error.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from callboard.runtime.journal.errors import CorruptedJournalError, JournalVersionError
from callboard.runtime.journal.frame import Damage, encode_frame, holds_frame, read_frame

VERSION = 1
"""The format that is written; all up to it are read."""
SUFFIX = ".journal"
_MAGIC = b"callboard-journal %d\n" % VERSION
_NAME = re.compile(r"\d{20}\.journal")
_ANY_MAGIC = re.compile(rb"callboard-journal (\d{1,9})\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class TornTail:
    """What a crash left unfinished at the end of a journal; it was never acknowledged."""

    segment: Path
    """The file."""
    offset: int
    """Bytes of it that are whole."""
    lost: int
    """Bytes after them."""
    problem: str
    """Why they are no frame."""

    def __str__(self) -> str:
        return f"{self.segment}: {self.lost} torn bytes from byte {self.offset} ({self.problem})"


def segment_name(first: int) -> str:
    """Return the name of the segment that begins with a record; names sort like numbers."""
    return f"{first:020d}{SUFFIX}"


def segment_header(first: int) -> bytes:
    """Return the first bytes of a segment."""
    return _MAGIC + encode_frame(b'{"first":%d}' % first)


def segments(folder: Path) -> list[Path]:
    """Return the segments of a journal, oldest first."""
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


class SegmentReader:
    """Reads the records of one segment, with their numbers, up to its end or to a torn tail.

    Args:
        path: The file.
        last: Whether it is the journal's last, and may end in a torn tail.
        expected: The number of its first record; None to believe the header.
    """

    def __init__(self, path: Path, *, last: bool, expected: int | None = None) -> None:
        self.path = path
        self.torn: TornTail | None = None
        """The torn tail, once iteration has met it."""
        self.offset = 0
        """Bytes read and found whole."""
        self.next = expected
        """The number of the next record; None before the header."""
        self._last = last

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as stream:
            if not self._read_magic(stream):
                return
            header = self._next(stream)
            if header is None:
                return
            self.next = self._check_header(header)
            while (payload := self._next(stream)) is not None:
                yield payload
                self.next += 1

    def corrupted(self, problem: str) -> CorruptedJournalError:
        """Return the error for the place that was read last."""
        return CorruptedJournalError(self.path, self.offset, problem)

    def _read_magic(self, stream: BinaryIO) -> bool:
        line = stream.readline(64)
        match = _ANY_MAGIC.fullmatch(line)
        if match is None:
            if not _MAGIC.startswith(line):
                raise self.corrupted("it does not begin like a journal")
            self._tear(stream, "its first line is not whole")
            return False
        if int(match[1]) != VERSION:
            raise JournalVersionError(self.path, int(match[1]), VERSION)
        self.offset = stream.tell()
        return True

    def _next(self, stream: BinaryIO) -> bytes | None:
        start = stream.tell()
        self.offset = start
        frame = read_frame(stream)
        if isinstance(frame, Damage):
            self._tear(stream, frame.problem)
            return None
        if frame is None and start == len(_MAGIC):
            self._tear(stream, "its header is missing")
        return frame

    def _tear(self, stream: BinaryIO, problem: str) -> None:
        if not self._last or holds_frame(stream, self.offset + 1):
            raise self.corrupted(problem)
        lost = self.path.stat().st_size - self.offset
        self.torn = TornTail(segment=self.path, offset=self.offset, lost=lost, problem=problem)

    def _check_header(self, payload: bytes) -> int:
        try:
            first = int(json.loads(payload)["first"])
        except (ValueError, TypeError, KeyError, IndexError) as error:
            raise self.corrupted("its header does not say where it begins") from error
        if self.next is not None and first != self.next:
            raise self.corrupted(f"it begins with record {first}, and record {self.next} is due")
        return first
