"""The backlog: records that are numbered and framed, but not yet with the disk."""

from collections.abc import Callable
from dataclasses import dataclass

from callboard.runtime.journal.frame import encode_frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records that go to the disk together."""

    frames: bytes
    count: int
    """How many."""
    last: int
    """The number of the last one."""


class Backlog:
    """Numbers records and collects their frames. Belongs to the event loop's thread.

    Args:
        first: The number of the next record.
        begun: Called when there is something again after there was nothing.
    """

    __slots__ = ("_begun", "_frames", "closed", "next", "size")

    def __init__(self, first: int, begun: Callable[[], None]) -> None:
        self.next = first
        """The number of the next record."""
        self.size = 0
        """Bytes that wait."""
        self.closed = False
        """Whether records are no longer kept, because nobody would write them."""
        self._frames: list[bytes] = []
        self._begun = begun

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, payload: bytes) -> None:
        """Append the record with the number `next`."""
        self.next += 1
        if self.closed:
            return
        frame = encode_frame(payload)
        self._frames.append(frame)
        self.size += len(frame)
        if len(self._frames) == 1:
            self._begun()

    def take(self) -> Batch:
        """Empty the backlog."""
        frames, self._frames, self.size = self._frames, [], 0
        return Batch(frames=b"".join(frames), count=len(frames), last=self.next - 1)
