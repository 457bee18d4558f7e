"""Mailboxes: bounded, first in first out, with a declared overflow policy. Nothing here waits."""

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from callboard.runtime.blocked import Blocked
from callboard.runtime.envelope import Envelope, Party
from callboard.runtime.loops import Slot
from callboard.runtime.mail_room import MailRoom
from callboard.runtime.statistics import MailboxStatistics

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
    priority: Callable[[Any], int] | None = None
    """Rates a message: higher ones are handled first, equal ones in order; must not raise.

    Where something is dropped to make room, it is the oldest of the lowest."""
    redeliver: int = 0
    """How often a message whose handler failed is handled again, by the next incarnation.

    It goes back to the head of the queue. When it has failed once more than this it is poison: a
    dead letter with that reason. 0, the default, costs a message at its first failure."""
    warn_at: int | None = None
    """Number of waiting messages from which on a warning is logged, at most once a minute."""

    def __post_init__(self) -> None:
        if self.redeliver < 0 or (self.warn_at is not None and self.warn_at < 1):
            raise ValueError(f"need redeliver >= 0 and warn_at >= 1, got {self}")
        if self.capacity < 1:
            raise ValueError(
                f"a mailbox must hold at least 1 message, got capacity={self.capacity}"
            )
        if self.overflow not in get_args(Overflow):
            raise ValueError(
                f"overflow must be one of {', '.join(get_args(Overflow))}, got {self.overflow!r}"
            )


class Mailbox:
    """A bounded queue of envelopes and the senders that wait for room in it.

    Messages leave in the order in which they came in. While a sender waits there is no room, so
    nobody overtakes it. Every envelope that comes in is counted as accepted.
    """

    __slots__ = (
        "_attend_at",
        "_marked_at",
        "_room",
        "blocked",
        "dropped",
        "held",
        "high_water",
        "mark",
        "options",
        "queue",
        "stirred",
    )

    def __init__(self, options: MailboxOptions, room: MailRoom) -> None:
        self.options = options
        self.held = 0
        """Running reentrant handlers."""
        self.queue: deque[Envelope] | None = None
        """None while empty: an idle actor should not pay 600 bytes for a deque."""
        self.blocked: deque[Blocked] | None = None
        self.high_water = 0
        """The most that it ever held, running reentrant handlers included."""
        self.dropped = 0
        """Messages that its overflow policy dropped."""
        self.stirred = False
        """Whether something came in since this was last set to False by `listen`."""
        self.mark: Envelope | None = None
        # Taking the time of each message would cost more than the queue does. Instead one message
        # that has to wait is marked with the time, and whatever is ahead of it is older.
        self._marked_at = 0.0
        self._attend_at = 0
        """How full it must be for a message to need more than to be appended."""
        self._room = room

    def __len__(self) -> int:
        return len(self.queue) if self.queue else 0

    def __iter__(self) -> Iterator[Envelope]:
        return iter(self.queue or ())

    def put(self, envelope: Envelope) -> bool:
        """Take the envelope in if there is room; return whether there was."""
        queue, room = self.queue, self._room
        if queue is None:
            depth = self.held
            if depth >= self.options.capacity:
                return False
            queue = self.queue = room.spare.pop() if room.spare else deque()
        else:
            depth = len(queue) + self.held
            if depth >= self.options.capacity:
                return False
        queue.append(envelope)
        room.counters.accepted += 1
        if depth >= self._attend_at:
            self._attend(queue, depth + 1)
        return True

    def has_room(self) -> bool:
        """Return whether the next message would find room."""
        return len(self) + self.held < self.options.capacity

    def force(self, envelope: Envelope) -> None:
        """Take the envelope in, room or not: control messages are exempt from the bound."""
        queue = self._open()
        queue.append(envelope)
        self._room.counters.accepted += 1
        self._attend(queue, len(queue) + self.held)

    def expedite(self, envelope: Envelope, last_words_of: Party) -> None:
        """Take a control message in, room or not, ahead of all that waits.

        It goes behind earlier control messages, and behind what one actor has sent: what that actor
        had to say was said before it ended.
        """
        queue = self._open()
        place = len(queue)
        while place and not _goes_first(queue[place - 1], last_words_of):
            place -= 1
        queue.insert(place, envelope)
        self._room.counters.accepted += 1

    def put_back(self, envelope: Envelope) -> None:
        """Let an envelope that was taken be the next one again."""
        self._open().appendleft(envelope)

    def take(self) -> Envelope | None:
        """Return the oldest envelope, and let in who waited for its room."""
        queue = self.queue
        if queue is None:
            return None
        envelope = queue.popleft()
        if self.blocked is not None:
            self.admit()
        if not queue:
            self.queue = self.mark = None
            self._room.spare.append(queue)
        elif envelope is self.mark:
            self.mark_last(queue)
        return envelope

    def peek(self) -> Envelope | None:
        """Return the oldest envelope and leave it where it is."""
        return self.queue[0] if self.queue else None

    def evict(self, newcomer: Envelope) -> Envelope | None:
        """Return the oldest envelope that may be dropped; None if the newcomer should be.

        With priorities, that is the oldest of the lowest. Control messages stay.
        """
        candidates = [envelope for envelope in self if envelope.kind != "control"]
        if not candidates:
            return None
        victim = candidates[0]
        if self.options.priority is not None:
            victim = min(candidates, key=self._rating)  # the first of them
            if self._rating(newcomer) < self._rating(victim):
                return None
        self.withdraw(victim)
        return victim

    def withdraw(self, envelope: Envelope) -> None:
        """Take out one envelope that is in the queue."""
        queue = self.queue
        assert queue is not None, "withdraw what is queued"  # noqa: S101  an invariant of callers
        queue.remove(envelope)
        if not queue:
            self.queue = self.mark = None
            self._room.spare.append(queue)
        elif envelope is self.mark:
            self.mark_last(queue)

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
        rest, self.queue, self.mark = list(self), None, None
        return rest

    def statistics(self) -> MailboxStatistics:
        """Return its numbers as they are now."""
        age = 0.0 if self.mark is None else self._room.clock() - self._marked_at
        return MailboxStatistics(
            depth=len(self),
            high_water=self.high_water,
            oldest_age=age,
            dropped=self.dropped,
            blocked=len(self.blocked or ()),
        )

    def mark_last(self, queue: deque[Envelope] | None) -> None:
        """Note that the last message, and whatever is ahead of it, waits from now on at least."""
        if queue:
            self.mark = queue[-1]
            self._marked_at = self._room.clock()

    def listen(self) -> None:
        """Find out whether something comes in from now on: `stirred` will tell."""
        self.stirred = False
        self._attend_at = 0

    def _open(self) -> deque[Envelope]:
        self.stirred = True
        if self.queue is None:
            self.queue = self._room.spare.pop() if self._room.spare else deque()
        return self.queue

    def _attend(self, queue: deque[Envelope], depth: int) -> None:
        """Do for the last envelope what appending it has not done."""
        options = self.options
        self.stirred = True
        self.high_water = max(depth, self.high_water)
        if options.warn_at is not None and depth >= options.warn_at:
            self._room.complain(queue[-1], depth)
        if options.priority is not None:
            self._rank(queue)
            return
        warn_at = options.warn_at or options.capacity
        self._attend_at = min(self.high_water, warn_at - 1)

    def _rank(self, queue: deque[Envelope]) -> None:
        """Move the last envelope ahead of those with lower priority."""
        if len(queue) < 2 or self._rating(queue[-2]) >= self._rating(queue[-1]):
            return
        envelope = queue.pop()
        place = bisect_right(queue, -self._rating(envelope), key=lambda other: -self._rating(other))
        queue.insert(place, envelope)

    def _rating(self, envelope: Envelope) -> float:
        rate = self.options.priority
        return math.inf if rate is None or envelope.kind == "control" else rate(envelope.message)

    def _let_in(self, blocked: Blocked) -> None:
        self.force(blocked.envelope)
        if blocked.room is not None:
            blocked.room.set_result(None)

    def _drop_blocked(self, blocked: Blocked) -> None:
        if self.blocked is not None:
            self.blocked.remove(blocked)
            self.blocked = self.blocked or None


def _goes_first(envelope: Envelope, last_words_of: Party) -> bool:
    return envelope.kind == "control" or envelope.sender is last_words_of
