"""Lives: the records of one message, put together."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from callboard.runtime.journal.record import AcceptedRecord, FateRecord, Record, SessionRecord

Outcome = Literal["handled", "failed", "dead", "unfinished"]
"""How a message ended; unfinished: not at all, because of a crash or because it still lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """One message, from its acceptance to its end."""

    accepted: AcceptedRecord
    """Who sent what to whom."""
    started: FateRecord | None
    """When its handler began, for the last time if it was redelivered; None if it never did."""
    ended: FateRecord | None
    """Its end; None if it is unfinished."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        match self.ended:
            case FateRecord(event="handled" | "failed" | "dead" as event):
                return event
            case _:
                return "unfinished"


def lives(records: Iterable[Record]) -> Iterator[Life]:
    """Put the records of each message together.

    Messages come in the order in which they ended. Those that a session left unfinished come when
    the next one opens, or at the end, in the order in which they were accepted. Ends of messages
    whose beginning is not among the records (older segments are gone) are passed over.
    """
    open_: dict[int, Life] = {}
    for record in records:
        match record:
            case SessionRecord():
                if record.event == "opened":
                    yield from open_.values()
                    open_.clear()
            case AcceptedRecord():
                open_[record.sequence] = Life(accepted=record, started=None, ended=None)
            case FateRecord():
                ended = _go_on(open_, record)
                if ended is not None:
                    yield ended
    yield from open_.values()


def _go_on(open_: dict[int, Life], record: FateRecord) -> Life | None:
    """Add a record to its message's life; return the life if that was its end."""
    life = open_.get(record.of)
    if life is None:
        return None
    if record.event in ("started", "redelivered"):
        started = record if record.event == "started" else None
        open_[record.of] = Life(accepted=life.accepted, started=started, ended=None)
        return None
    del open_[record.of]
    return Life(accepted=life.accepted, started=life.started, ended=record)
