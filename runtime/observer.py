"""Observer: who is told of every message's life, where anybody is."""

from typing import Protocol

from callboard.runtime.envelope import Envelope


class Observer(Protocol):
    """Is told what becomes of each message. Without one, the runtime asks `is None` and goes on."""

    def sent(self, envelope: Envelope) -> None:
        """Take note that a message was sent."""
        ...

    def begin(self, envelope: Envelope) -> None:
        """Take note that its handler is about to start, in the envelope's context."""
        ...

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Take note of its one outcome: handled, failed, or the reason of a dead letter."""
        ...
