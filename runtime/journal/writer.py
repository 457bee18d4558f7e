"""Writing segments. Everything here blocks, and runs in a worker thread."""

import os
from collections.abc import Callable
from pathlib import Path

from callboard.runtime.journal.errors import JournalClosedError
from callboard.runtime.journal.lock import Lock
from callboard.runtime.journal.segment import (
    SegmentReader,
    TornTail,
    segment_header,
    segment_name,
    segments,
)

sync_data: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)
"""Returns when a file's data is on the disk (macOS has only the dearer fsync)."""
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC


class SegmentWriter:
    """Appends batches to the last segment of a journal, and begins a new one when it is full.

    A segment is on the disk, whole, before the next one exists. After an error nothing more is
    written: what followed half a frame would be corruption.

    Args:
        folder: The journal's folder; made if it is not there, for its owner's eyes only.
        segment_size: Bytes after which a segment is full.

    Raises:
        JournalLockedError: Somebody else writes the journal.
        CorruptedJournalError: Its last segment is damaged before its end.
        JournalVersionError: A newer callboard has written it.
        OSError: It can't be read or written.
    """

    def __init__(self, folder: Path, segment_size: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._segment_size = segment_size
        self._process = os.getpid()
        self.torn: TornTail | None = None
        """What was cut off, because a crash had torn it."""
        self._file = -1
        self._size = 0
        self._lock = Lock(folder)
        try:
            self.next = self._recover()
            """The number of the next record."""
        except BaseException:
            self.close()
            raise

    def write(self, frames: bytes, count: int) -> None:
        """Append frames and return when they are on the disk.

        Args:
            frames: Whole frames.
            count: How many.

        Raises:
            JournalClosedError: This is a fork of the process that opened the journal.
            OSError: The disk did not take them all.
        """
        if os.getpid() != self._process:
            raise JournalClosedError(self._folder, "was opened before this process was forked")
        if self._size >= self._segment_size:
            self._close_segment()
            self._begin(self.next)
        self._append(frames)
        sync_data(self._file)
        self.next += count

    def close(self) -> None:
        """Close the segment and let others write."""
        self._close_segment()
        self._lock.release()

    def _close_segment(self) -> None:
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _recover(self) -> int:
        """Open the last segment behind its last whole frame; return the next record's number."""
        files = segments(self._folder)
        if not files:
            self._begin(0)
            return 0
        reader = SegmentReader(files[-1], last=True)
        for _ in reader:
            pass
        self.torn = reader.torn
        if reader.next is None:  # the crash came before the header was written
            files[-1].unlink()
            first = int(files[-1].stem)
            self._begin(first)
            return first
        self._file = os.open(files[-1], _APPEND)
        if self.torn is not None:
            os.ftruncate(self._file, reader.offset)
            os.fsync(self._file)
        self._size = reader.offset
        return reader.next

    def _begin(self, first: int) -> None:
        path = self._folder / segment_name(first)
        self._size = 0
        self._file = os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        self._append(segment_header(first))
        os.fsync(self._file)
        _sync_folder(self._folder)

    def _append(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self._size += len(data)


def _sync_folder(folder: Path) -> None:
    """Put the names of new files on the disk."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
