"""The journal: every message of a runtime and what becomes of it, on the disk."""

import time
from pathlib import Path

import anyio

from callboard.ambient.event_log import EventLog
from callboard.runtime.envelope import Envelope
from callboard.runtime.errors import JournalRefusedError
from callboard.runtime.journal.bodies import Bodies
from callboard.runtime.journal.committer import Committer, in_thread
from callboard.runtime.journal.errors import JournalClosedError
from callboard.runtime.journal.record import (
    FateEvent,
    accepted_payload,
    fate_payload,
    session_payload,
)
from callboard.runtime.journal.segment import TornTail
from callboard.runtime.journal.writer import SegmentWriter
from callboard.runtime.loops import Slot
from callboard.runtime.message import qualified_name

_FATES: dict[str, FateEvent] = {
    "handled": "handled",
    "failed": "failed",
    "redelivered": "redelivered",
}


class Journal:
    """Keeps the life of every message: accepted, started, and handled, failed or dead.

        async with Runtime(journal=Journal("runs/market.journal")) as runtime:
            await counter.ask(Add(1))    # returns when Add(1) is on the disk as handled

    What is acknowledged survives `kill -9` and a power cut: `ask` returns when its message is on
    the disk as handled, `tell` and `publish` when it is there as accepted. `tell_nowait` and
    scheduled messages are acknowledged by `synced` alone. An error that comes out of an ask
    acknowledges nothing, except for one of the actor's `reply_errors`.

    A message that has no JSON form is refused with JournalRefusedError before it is sent. Bodies
    are content: whatever messages say stands in the journal, in clear, readable by its owner.

    If the disk fails, the runtime ends with JournalWriteError, and nothing more is acknowledged.

    Args:
        path: A folder, made if it is not there. A journal that exists is continued.
        wait_for_disk: Whether senders wait for the disk. Without, they go on at once, and a crash
            may lose what happened in the last flush interval; `synced` still waits.
        flush_interval: Seconds that a record may wait for the disk if nobody waits for it.
        segment_size: Bytes after which a new file is begun.
        message_limit: Bytes of JSON that a message may have.
        backlog_limit: Bytes that may wait for the disk. When the disk is further behind, messages
            are refused.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        wait_for_disk: bool = True,
        flush_interval: float = 0.05,
        segment_size: int = 64 << 20,
        message_limit: int = 1 << 20,
        backlog_limit: int = 64 << 20,
    ) -> None:
        self.path = Path(path)
        """The journal's folder."""
        self.torn: TornTail | None = None
        """What a crash had torn and opening has cut off; None if nothing."""
        self.holds_back = wait_for_disk
        """Whether senders wait for the disk."""
        self._flush_interval = flush_interval
        self._segment_size = segment_size
        self._backlog_limit = backlog_limit
        self._bodies = Bodies(message_limit)
        self._runtime = ""
        self._open: Committer | None = None

    @property
    def durable(self) -> int:
        """The number of the last record that is on the disk; -1 if none is."""
        return self._committer().durable

    async def open(self, runtime: str) -> None:
        """Open the folder, cut off what a crash has torn, and begin a session.

        Raises:
            JournalClosedError: It was opened before.
            JournalLockedError: Somebody else writes it.
            CorruptedJournalError: Its last segment is damaged before its end.
            JournalVersionError: A newer callboard has written it.
            OSError: It can't be read or written.
        """
        if self._runtime:
            raise JournalClosedError(self.path, "was opened before")
        self._runtime = runtime
        writer = await in_thread(
            lambda: SegmentWriter(self.path, self._segment_size), anyio.CapacityLimiter(1)
        )
        self.torn = writer.torn
        if self.torn is not None:
            _report(self.torn)
        self._open = Committer(self.path, writer, self._flush_interval)
        backlog = self._open.backlog
        backlog.add(session_payload(backlog.next, time.time_ns(), "opened", runtime))

    async def run(self) -> None:
        """Bring records to the disk until closed.

        Raises:
            JournalWriteError: The disk did not take them.
        """
        await self._committer().run()

    async def synced(self) -> None:
        """Wait until everything so far is on the disk.

        Raises:
            JournalWriteError: It can't get there.
            JournalClosedError: The journal is not open.
        """
        await self._committer().synced()

    async def aclose(self) -> None:
        """End the session, bring what is left to the disk and close the files.

        What happens later (a handler that ignores its cancellation, say) is not recorded.
        """
        committer = self._committer()
        backlog = committer.backlog
        backlog.add(session_payload(backlog.next, time.time_ns(), "closed", self._runtime))
        backlog.closed = True
        await committer.aclose()

    def notify(self, slot: Slot) -> None:
        """Put None into the slot when everything so far is on the disk, or else a Failure."""
        self._committer().notify(slot)

    def sent(self, envelope: Envelope) -> None:
        """Note what a message says.

        Raises:
            JournalRefusedError: It has no JSON form, is too large, or the disk is too far behind.
        """
        waiting = self._committer().backlog.size
        if waiting > self._backlog_limit:
            raise JournalRefusedError(
                envelope.type_name,
                f"{waiting} bytes wait for the disk, and the limit is {self._backlog_limit}. Send "
                "with tell or ask, which wait for it, or slow down",
            )
        envelope.entry = self._bodies.encode(envelope.message)

    def accepted(self, envelope: Envelope) -> None:
        """Record a message that got in."""
        body: bytes = getattr(envelope, "entry", b"null")
        backlog = self._committer().backlog
        number = envelope.entry = backlog.next
        message: object = envelope.message
        kind = type(message)
        sender = envelope.sender
        backlog.add(
            accepted_payload(
                number,
                time.time_ns(),
                envelope.recipient.address.path,
                None if sender is None else sender.address.path,
                envelope.kind,
                qualified_name(kind),
                getattr(kind, "schema_version", 1),
                body,
            )
        )

    def begin(self, envelope: Envelope) -> None:
        """Record that a handler starts."""
        backlog = self._committer().backlog
        backlog.add(fate_payload(backlog.next, time.time_ns(), "started", envelope.entry))

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Record how a message ended, or that it failed and is to be handled once more."""
        backlog = self._committer().backlog
        fate = _FATES.get(outcome, "dead")
        reason = outcome if fate == "dead" else None
        raised = None if error is None else type(error).__qualname__
        backlog.add(
            fate_payload(backlog.next, time.time_ns(), fate, envelope.entry, reason, raised)
        )

    def _committer(self) -> Committer:
        if self._open is None:
            raise JournalClosedError(self.path, "is not open")
        return self._open


def _report(torn: TornTail) -> None:
    EventLog("callboard.runtime").logger.warning(
        "cut off the torn tail of a journal",
        segment=str(torn.segment),
        offset=torn.offset,
        lost=torn.lost,
        problem=torn.problem,
    )
