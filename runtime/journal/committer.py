"""Group commit: all records that have come together go to the disk at once, in a worker thread.

While one batch is being synced the next one collects, so the more messages there are, the less each
of them pays for the disk. Whoever waits for the disk makes a batch leave at once; what nobody waits
for leaves when the flush interval has passed.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread

from callboard.runtime.envelope import Failure
from callboard.runtime.journal.backlog import Backlog
from callboard.runtime.journal.errors import JournalClosedError, JournalError, JournalWriteError
from callboard.runtime.journal.writer import SegmentWriter
from callboard.runtime.loops import Slot, current_loop

T = TypeVar("T")


class Committer:
    """Brings a backlog to the disk, batch by batch. Make it on the loop that it is to run on.

    Args:
        folder: The journal's folder, for errors.
        writer: Writes batches.
        flush_interval: Seconds that a record may wait if nobody waits for it.
    """

    def __init__(self, folder: Path, writer: SegmentWriter, flush_interval: float) -> None:
        self.backlog = Backlog(writer.next, self._begun)
        self.durable = writer.next - 1
        """The number of the last record that is on the disk."""
        self._folder = folder
        self._writer = writer
        self._flush_interval = flush_interval
        self._make_slot = current_loop().make_slot
        self._collecting: list[Slot] = []
        """Who waits for records that are still in the backlog."""
        self._syncing: list[Slot] = []
        """Who waits for the batch that is on its way."""
        self._work, self._urgent = anyio.Event(), anyio.Event()
        self._ended = anyio.Event()
        self._thread = anyio.CapacityLimiter(1)
        self._closing = False
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Write what comes in, until closed.

        Raises:
            JournalWriteError: The disk did not take it. Nothing is written after that.
        """
        try:
            with anyio.CancelScope(shield=True):
                while not self._closing or self.backlog:
                    await self._collect()
                    await self._commit()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self.backlog.closed = True
            self._ended.set()
            for slot in _still_waiting(self._syncing + self._collecting):
                slot.set_result(Failure(self._loss()))

    async def synced(self) -> None:
        """Wait until all records so far are on the disk.

        Raises:
            JournalWriteError: They can't get there.
            JournalClosedError: Nobody writes any more.
        """
        slot = self._make_slot()
        self.notify(slot)
        outcome = await slot
        if type(outcome) is Failure:
            raise outcome.error

    def notify(self, slot: Slot) -> None:
        """Put None into the slot when all records so far are on the disk, or else a Failure."""
        if self.durable == self.backlog.next - 1:
            slot.set_result(None)
        elif self._ended.is_set():
            slot.set_result(Failure(self._loss()))
        elif self.backlog:
            self._collecting.append(slot)
            self._urgent.set()
            self._work.set()
        else:
            self._syncing.append(slot)

    async def aclose(self) -> None:
        """Write what is left, end `run` and close the files."""
        self._closing = True
        self._urgent.set()
        self._work.set()
        await self._ended.wait()
        await in_thread(self._writer.close, self._thread)

    def _begun(self) -> None:
        self._work.set()

    async def _collect(self) -> None:
        """Wait for records, and then for more of them, unless somebody is in a hurry."""
        await self._work.wait()
        if not self._urgent.is_set():
            with anyio.move_on_after(self._flush_interval):
                await self._urgent.wait()
        self._work = anyio.Event()
        if not self._closing:
            self._urgent = anyio.Event()

    async def _commit(self) -> None:
        if not self.backlog:
            return
        batch = self.backlog.take()
        self._syncing, self._collecting = self._collecting, []
        try:
            await in_thread(lambda: self._writer.write(batch.frames, batch.count), self._thread)
        except JournalError:
            raise
        except OSError as error:
            raise JournalWriteError(self._folder, error) from error
        self.durable = batch.last
        waiting, self._syncing = self._syncing, []
        for slot in _still_waiting(waiting):
            slot.set_result(None)

    def _loss(self) -> JournalError:
        cause = self._failure
        if isinstance(cause, JournalWriteError):
            return JournalWriteError(self._folder, cause.cause)
        return JournalClosedError(self._folder, "is closed")


def _still_waiting(slots: Iterable[Slot]) -> Iterator[Slot]:
    return (slot for slot in slots if not slot.done())


async def in_thread(call: Callable[[], T], limiter: anyio.CapacityLimiter) -> T:
    """Run what blocks in a worker thread; once begun it is never abandoned."""
    return await anyio.to_thread.run_sync(call, limiter=limiter)
