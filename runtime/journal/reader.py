"""Reading a journal, also one that is being written."""

from collections.abc import Iterator
from pathlib import Path

from callboard.runtime.journal.record import Record, read_record
from callboard.runtime.journal.segment import SegmentReader, TornTail, segments


class JournalReader:
    """All records of a journal, oldest first. Reading changes nothing and needs no lock.

        for record in JournalReader("runs/market.journal"):
            print(record)

    Args:
        path: The journal's folder, or one of its segments.

    Raises:
        FileNotFoundError: There is nothing at the path, or no segment in the folder.
        CorruptedJournalError: While iterating: a frame is damaged and others follow, or a segment
            is missing between two others. All before it has been yielded.
        JournalVersionError: While iterating: a newer callboard has written it.
    """

    def __init__(self, path: Path | str) -> None:
        path = Path(path)
        self._files = segments(path) if path.is_dir() else [path]
        self.torn: TornTail | None = None
        """The torn tail, once iteration has come to it; also the end of what is being written."""
        if not self._files:
            raise FileNotFoundError(f"{path} holds no segment of a journal (*.journal)")
        if not self._files[0].exists():
            raise FileNotFoundError(f"there is no journal at {path}")

    def __iter__(self) -> Iterator[Record]:
        expected: int | None = None
        for path in self._files:
            segment = SegmentReader(path, last=path is self._files[-1], expected=expected)
            for payload in segment:
                yield _checked(segment, payload)
            expected = segment.next
            self.torn = segment.torn


def _checked(segment: SegmentReader, payload: bytes) -> Record:
    try:
        record = read_record(payload)
    except ValueError as error:
        raise segment.corrupted(str(error)) from error
    if record.sequence != segment.next:
        raise segment.corrupted(f"record {record.sequence} stands where {segment.next} is due")
    return record
