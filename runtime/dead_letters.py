"""Dead letters: what could not be delivered, and why. Counted, kept for a while, observable."""

from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from callboard.runtime.address import Address
from callboard.runtime.envelope import Envelope, Kind
from callboard.runtime.logs import log_failure

Reason = Literal[
    "stopped",
    "restarted",
    "unhandled",
    "expired",
    "asker_cancelled",
    "dropped_oldest",
    "dropped_newest",
    "mailbox_full",
    "late_reply",
    "not_journalled",
    "poison",
]
"""Why: the actor stopped; it restarted while handling; it has no such handler; the ask's deadline
passed first; its asker was cancelled and the message is declared `cancel_with_asker`; the overflow
policy dropped it; a subscriber's or timer's mailbox stayed full; the reply came too late;
the journal refused a published or scheduled message; its handler failed again and again
(`MailboxOptions.redeliver`)."""

KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message (or a late reply) that nobody received."""

    message: Any
    """The message; for a late reply, the message that it answers."""
    recipient: Address
    """Whom it was for."""
    sender: Address | None
    """Who sent it; None for code outside of actors."""
    kind: Kind
    """How it was sent."""
    reason: Reason
    """Why it died."""


class DeadLetters:
    """The dead letters of a runtime: totals for ever, the last thousand in full.

    Iterating yields the kept ones, oldest first; `len` is the total.
    """

    def __init__(self) -> None:
        self._kept: deque[DeadLetter] = deque(maxlen=KEPT)
        self._counts: Counter[str] = Counter()
        self._observers: list[Callable[[DeadLetter], None]] = []

    def __len__(self) -> int:
        return self._counts.total()

    def __iter__(self) -> Iterator[DeadLetter]:
        return iter(tuple(self._kept))

    def by_reason(self) -> dict[str, int]:
        """Return how many there were for each reason."""
        return dict(self._counts)

    def observe(self, observer: Callable[[DeadLetter], None]) -> Callable[[], None]:
        """Call the observer with every dead letter from now on.

        It is called at once, in whatever task the letter died in, so it must be quick; what it
        raises is logged. To hand letters to an actor, let it `tell_nowait`.

        Returns:
            A function that ends the observation.
        """
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def add(self, envelope: Envelope, reason: Reason) -> None:
        """Record that an envelope was not delivered."""
        sender = envelope.sender
        letter = DeadLetter(
            message=envelope.message,
            recipient=envelope.recipient.address,
            sender=None if sender is None else sender.address,
            kind=envelope.kind,
            reason=reason,
        )
        self._kept.append(letter)
        self._counts[reason] += 1
        for observer in tuple(self._observers):
            try:
                observer(letter)
            except Exception as error:  # noqa: BLE001  a letter dies wherever it is; go on there
                log_failure(letter.recipient, "observer of dead letters failed", error)
