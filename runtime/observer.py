"""Observers: who is told of every message's life, where anybody is."""

from typing import Protocol

from callboard.runtime.envelope import Envelope
from callboard.runtime.loops import Slot


class Observer(Protocol):
    """Is told what becomes of each message. Without one, the runtime asks `is None` and goes on."""

    def sent(self, envelope: Envelope) -> None:
        """Take note that somebody sends a message; not yet that it was accepted.

        Raises:
            JournalRefusedError: The message must not be sent; its sender is told.
        """
        ...

    def begin(self, envelope: Envelope) -> None:
        """Take note that its handler is about to start, in the envelope's context."""
        ...

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Take note of its one outcome: handled, failed, or the reason of a dead letter.

        Before that there may be attempts with the outcome "redelivered": the handler failed, and
        the message waits to be handled once more.
        """
        ...


class Recorder(Observer, Protocol):
    """An observer that keeps what it is told, and whom senders wait for: a journal."""

    @property
    def holds_back(self) -> bool:
        """Whether senders wait until what they are told is kept."""
        ...

    def accepted(self, envelope: Envelope) -> None:
        """Take note that a message got in; from here on it has exactly one end. Must not raise."""
        ...

    async def open(self, runtime: str) -> None:
        """Get ready to take notes for the runtime of this name."""
        ...

    async def run(self) -> None:
        """Keep what comes in, until closed; what it raises ends the runtime."""
        ...

    def notify(self, slot: Slot) -> None:
        """Put None into the slot when all that it was told so far is kept for good.

        If it can't be kept, that is a Failure with an ActorError. A slot that is done is passed by.
        """
        ...

    async def aclose(self) -> None:
        """Keep what is left and end `run`."""
        ...
