"""What a runtime has done so far, in numbers that must add up."""

from collections.abc import Mapping
from dataclasses import dataclass


class Counters:
    """Running totals; plain integers, because they are touched for every message."""

    __slots__ = (
        "accepted",
        "dead",
        "failed",
        "handled",
        "late_replies",
        "redelivered",
        "rejected",
        "restarts",
    )

    def __init__(self) -> None:
        self.accepted = 0
        self.handled = 0
        self.failed = 0
        self.dead = 0
        self.rejected = 0
        self.redelivered = 0
        self.late_replies = 0
        self.restarts = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxStatistics:
    """The numbers of one mailbox."""

    depth: int
    """Messages that wait now."""
    high_water: int
    """The most that it ever held, running reentrant handlers included."""
    oldest_age: float
    """Seconds that the oldest message has waited at least; 0 if none waits."""
    dropped: int
    """Messages that the overflow policy dropped."""
    blocked: int
    """Senders that wait for room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """Where every message of a runtime has gone.

    The conservation law holds at any moment:
    `accepted = handled + failed + dead + queued + active`.
    """

    accepted: int
    """Messages taken from their senders."""
    handled: int
    """Messages whose handler returned, or raised one of the actor's `reply_errors`."""
    failed: int
    """Messages whose handler raised."""
    dead: int
    """Accepted messages that became dead letters, interrupted handlers included."""
    queued: int
    """Messages in mailboxes now."""
    active: int
    """Messages in handlers now."""
    rejected: int
    """Messages handed back to their senders with an error; they were never accepted."""
    redelivered: int
    """Times that a message went back to its mailbox after a failure."""
    late_replies: int
    """Replies that came when nobody waited any more; their messages count as handled."""
    restarts: int
    """Restarts of actors."""
    actors: int
    """Living actors."""
    dead_by_reason: Mapping[str, int]
    """Dead letters by reason, late replies included."""

    @property
    def conserved(self) -> bool:
        """Whether the conservation law holds."""
        ends = self.handled + self.failed + self.dead
        return self.accepted == ends + self.queued + self.active
