"""Mailboxes: bounded, first in first out, with a declared overflow policy. Nothing here waits."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from callboard.runtime.envelope import Envelope
from callboard.runtime.loops import Slot
from callboard.runtime.statistics import Counters

Overflow = Literal["block", "reject", "drop_oldest", "drop_newest"]
"""What happens to a message that finds no room: its sender waits, its sender is told, the oldest
waiting message makes room for it, or it is dropped itself."""


@dataclass(frozen=True, slots=True)
class MailboxOptions:
    """The bound of a mailbox and what lies beyond it."""

    capacity: int = 1024
    """Messages that it holds, running reentrant handlers included."""
    overflow: Overflow = "block"
    """What happens to a message that finds no room."""

    def __post_init__(self) -> None:
        if self.capacity < 1:
            raise ValueError(
                f"a mailbox must hold at least 1 message, got capacity={self.capacity}"
            )
        if self.overflow not in get_args(Overflow):
            raise ValueError(
                f"overflow must be one of {', '.join(get_args(Overflow))}, got {self.overflow!r}"
            )


@dataclass(slots=True, eq=False)
class Blocked:
    """A message whose sender waits for room."""

    envelope: Envelope
    room: Slot | None
    """Wakes a teller when its message is in; an asker waits for the reply alone."""

    @property
    def slot(self) -> Slot:
        """What the sender waits on."""
        slot = self.envelope.slot if self.room is None else self.room
        assert slot is not None, "whoever lines up, waits"  # noqa: S101  an invariant of `wait`
        return slot

    def expire(self) -> None:
        """Tell the recipient that the sender waits no longer."""
        self.envelope.recipient.expired(self.envelope)


class Mailbox:
    """A bounded queue of envelopes and the senders that wait for room in it.

    Messages leave in the order in which they came in. While a sender waits there is no room, so
    nobody overtakes it. Every envelope that comes in is counted as accepted.
    """

    __slots__ = ("_counters", "_spare", "blocked", "held", "options", "queue", "stirred_at")

    def __init__(
        self, options: MailboxOptions, counters: Counters, spare: list[deque[Envelope]]
    ) -> None:
        self.options = options
        self.held = 0
        """Running reentrant handlers."""
        self.queue: deque[Envelope] | None = None
        """None while empty: an idle actor should not pay 600 bytes for a deque."""
        self.blocked: deque[Blocked] | None = None
        self.stirred_at = 0.0
        self._counters = counters
        self._spare = spare

    def __len__(self) -> int:
        return len(self.queue) if self.queue else 0

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self.queue or ())

    def put(self, envelope: Envelope) -> bool:
        """Take the envelope in if there is room; return whether there was."""
        queue = self.queue
        if queue is None:
            if self.held >= self.options.capacity:
                return False
            queue = self.queue = self._spare.pop() if self._spare else deque()
        elif len(queue) + self.held >= self.options.capacity:
            return False
        queue.append(envelope)
        self._counters.accepted += 1
        return True

    def has_room(self) -> bool:
        """Return whether the next message would find room."""
        return len(self) + self.held < self.options.capacity

    def force(self, envelope: Envelope) -> None:
        """Take the envelope in, room or not: control messages are exempt from the bound."""
        if self.queue is None:
            self.queue = self._spare.pop() if self._spare else deque()
        self.queue.append(envelope)
        self._counters.accepted += 1

    def take(self) -> Envelope | None:
        """Return the oldest envelope, and let in who waited for its room."""
        queue = self.queue
        if queue is None:
            return None
        envelope = queue.popleft()
        if self.blocked is not None:
            self.admit()
        if not queue:
            self.queue = None
            self._spare.append(queue)
        return envelope

    def peek(self) -> Envelope | None:
        """Return the oldest envelope and leave it where it is."""
        return self.queue[0] if self.queue else None

    def evict(self) -> Envelope | None:
        """Return the oldest envelope that may be dropped; None if all are control messages."""
        for envelope in self:
            if envelope.kind != "control":
                self.withdraw(envelope)
                return envelope
        return None

    def withdraw(self, envelope: Envelope) -> None:
        """Take out one envelope that is in the queue."""
        queue = self.queue
        assert queue is not None, "withdraw what is queued"  # noqa: S101  an invariant of callers
        queue.remove(envelope)
        if not queue:
            self.queue = None
            self._spare.append(queue)

    def wait(self, envelope: Envelope, room: Slot | None) -> Blocked:
        """Line the envelope up for room.

        Args:
            envelope: What found no room.
            room: Where to say that it is in; None for an ask.
        """
        blocked = Blocked(envelope, room)
        if self.blocked is None:
            self.blocked = deque()
        self.blocked.append(blocked)
        return blocked

    def leave(self, envelope: Envelope) -> Blocked | None:
        """Take the envelope out of the line and return its place; None if it was not there."""
        for blocked in self.blocked or ():
            if blocked.envelope is envelope:
                self._drop_blocked(blocked)
                return blocked
        return None

    def admit(self) -> None:
        """Let in senders that wait, as far as there is room."""
        while self.blocked and len(self) + self.held < self.options.capacity:
            blocked = self.blocked[0]
            self._drop_blocked(blocked)
            if not blocked.slot.done():
                self._let_in(blocked)

    def flush(self) -> list[Envelope]:
        """Empty the mailbox and the line; return all that was in them, oldest first."""
        for blocked in list(self.blocked or ()):
            if not blocked.slot.done():
                self._let_in(blocked)
        self.blocked = None
        rest, self.queue = list(self), None
        return rest

    def _let_in(self, blocked: Blocked) -> None:
        self.force(blocked.envelope)
        if blocked.room is not None:
            blocked.room.set_result(None)

    def _drop_blocked(self, blocked: Blocked) -> None:
        if self.blocked is not None:
            self.blocked.remove(blocked)
            self.blocked = self.blocked or None
