"""Envelopes: a message on its way, with what its delivery needs."""

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
    def current(self) -> "Envelope | None":
        """The envelope whose handler keeps all others of this actor waiting."""
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

    Not a dataclass: one is made for every message, and plain positional slots are the cheapest.
    """

    heir: "Envelope"
    """The envelope that the reply was handed on to; unset unless it was forwarded."""

    asked_at: float
    """When an ask was made, on the clock of its deadline; unset for all else."""

    __slots__ = (
        "asked_at",
        "context",
        "deadline",
        "fate",
        "heir",
        "kind",
        "message",
        "recipient",
        "sender",
        "slot",
        "started",
        "trace",
        "waits",
        "worker",
    )

    def __init__(
        self,
        message: Any,
        recipient: Party,
        kind: Kind,
        slot: Slot | None,
        sender: Party | None,
        deadline: float,
        context: Context | None,
    ) -> None:
        self.message = message
        self.recipient = recipient
        self.kind: Kind = kind
        self.slot = slot
        """Where the reply goes; None when nobody asked."""
        self.sender = sender
        self.deadline = deadline
        """Absolute; infinite for all but asks."""
        self.context = context
        """The sender's context variables; given up after the handler, or it would hold itself."""
        self.started = False
        self.waits: set[Envelope] | None = None
        """What its handler waits for: asks without a reply, sends without room."""
        self.worker: Cancellable | None = None
        """Who runs its handler, while that is suspended."""
        self.fate: Fate | None = None
        """Why its handler was cancelled, or should not start."""
        self.trace: Any = None
        """The record of its span, where messages are traced."""

    def done(self) -> bool:
        """Return whether its deadline no longer matters to anybody."""
        return self.slot is None or self.slot.done()

    def expire(self) -> None:
        """Tell the recipient that the deadline has passed."""
        self.recipient.expired(self)

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
