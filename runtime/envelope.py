"""Envelopes: a message on its way, with what its delivery needs."""

from collections.abc import Coroutine
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from callboard.runtime.address import Address
from callboard.runtime.loops import Slot

Kind = Literal["ask", "tell", "publish", "control", "hook"]
Fate = Literal["stopped", "restarted", "expired", "asker_cancelled"]


class Party(Protocol):
    """An actor as its correspondents see it."""

    @property
    def address(self) -> Address:
        """Where it lives."""
        ...

    @property
    def kind(self) -> str:
        """Name of its class."""
        ...

    @property
    def current(self) -> "Envelope | None":
        """The envelope whose handler keeps all others of this actor waiting."""
        ...

    def runs(self, envelope: "Envelope") -> bool:
        """Return whether a handler for the envelope has started and not ended."""
        ...

    def expired(self, envelope: "Envelope") -> None:
        """Take note that the deadline of an ask has passed."""
        ...


class Cancellable(Protocol):
    """Whatever runs a handler."""

    def cancel(self) -> None:
        """Cancel what it runs."""
        ...


class Envelope:
    """A message plus its delivery.

    Not a dataclass: one is made for every message, plain positional slots are the cheapest, and
    what few messages need stays unset until they do (`getattr` with a default reads it).
    """

    __slots__ = (
        "asked_at",
        "begun",
        "context",
        "coroutine",
        "deadline",
        "entry",
        "failures",
        "fate",
        "heir",
        "kind",
        "measured_from",
        "message",
        "recipient",
        "sender",
        "slot",
        "trace",
        "waits",
        "worker",
    )

    message: Any
    recipient: Party
    kind: Kind
    slot: Slot | None
    """Where the reply goes; None when nobody asked."""
    sender: Party | None
    deadline: float
    """Absolute; infinite for all but asks."""
    context: Context
    """The sender's context variables, in which the handler runs; unset after it."""
    failures: int
    """How often its handler has failed; unset unless messages are redelivered."""
    fate: Fate | None
    """Why its handler was cancelled, or should not start."""
    asked_at: float
    """When an ask was made, on the clock of its deadline; unset for all else."""
    begun: bool
    """Whether its handler has begun and not ended; unset unless messages are measured."""
    measured_from: float
    """When it was sent or begun; unset unless messages are measured."""
    coroutine: Coroutine[Any, Any, Any]
    """The handler; unset until it is suspended."""
    entry: Any
    """What the journal knows of it; unset where there is none."""
    heir: "Envelope"
    """The envelope that the reply was handed on to; unset unless it was forwarded."""
    trace: Any
    """The record of its span; unset where messages are not traced."""
    waits: "set[Envelope]"
    """What its handler waits for: asks without a reply, sends without room; unset until it does."""
    worker: Cancellable
    """Who runs its handler, while that is suspended; else unset."""

    def __init__(
        self,
        message: Any,
        recipient: Party,
        kind: Kind,
        slot: Slot | None,
        sender: Party | None,
        deadline: float,
        context: Context,
    ) -> None:
        self.message = message
        self.recipient = recipient
        self.kind = kind
        self.slot = slot
        self.sender = sender
        self.deadline = deadline
        self.context = context
        self.fate = None

    def wait_for(self, other: "Envelope") -> None:
        """Note that its handler waits for another envelope."""
        waits: set[Envelope] | None = getattr(self, "waits", None)
        if waits is None:
            self.waits = {other}
        else:
            waits.add(other)

    def wait_over(self, other: "Envelope") -> None:
        """Note that its handler waits for another envelope no longer."""
        waits: set[Envelope] = getattr(self, "waits", set())
        waits.discard(other)

    def cancel(self) -> None:
        """Cancel its handler, if that is suspended."""
        worker: Cancellable | None = getattr(self, "worker", None)
        if worker is not None:
            worker.cancel()

    def expire(self) -> None:
        """Tell the recipient that the deadline has passed."""
        heir: Envelope = getattr(self, "heir", self)
        heir.recipient.expired(heir)

    def release(self) -> None:
        """Give up what only a handler needs; the context holds this very envelope."""
        del self.context

    @property
    def type_name(self) -> str:
        """Name of the message's class, for people."""
        return type(self.message).__name__


@dataclass(frozen=True, slots=True)
class Failure:
    """What a slot holds when the ask ends in an error (a value, so that no loop reports it)."""

    error: BaseException


current_envelope: ContextVar[Envelope | None] = ContextVar("callboard_envelope", default=None)
"""The envelope on whose behalf this task runs; it is how a send knows its sender."""
