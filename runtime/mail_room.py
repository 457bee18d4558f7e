"""The mail room: what the mailboxes of one runtime share."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from callboard.runtime.envelope import Envelope
from callboard.runtime.statistics import Counters


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRoom:
    """What the mailboxes of one runtime share."""

    counters: Counters
    """The runtime's totals."""
    clock: Callable[[], float]
    """The time, in seconds."""
    complain: Callable[[Envelope, int], None]
    """Take note of a message that came in when too many were waiting, and of how many."""
    spare: list[deque[Envelope]] = field(default_factory=list[deque[Envelope]])
    """Empty queues, lent to mailboxes while they hold something."""
