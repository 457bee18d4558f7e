"""Inboxes: the receiving half of an actor. Who gets in, who waits, and who is told what."""

from enum import IntEnum

from callboard.runtime.address import Address
from callboard.runtime.blocked import Blocked
from callboard.runtime.dead_letters import Reason
from callboard.runtime.envelope import Envelope, Failure, Party
from callboard.runtime.errors import (
    ActorError,
    ActorRestartedError,
    ActorStoppedError,
    AskCycleError,
    AskTimeoutError,
    MailboxFullError,
    UnhandledMessageError,
)
from callboard.runtime.handlers import Handler, HandlerTable
from callboard.runtime.kernel import Kernel
from callboard.runtime.mailbox import Mailbox, MailboxOptions
from callboard.runtime.observed_mailbox import ObservedMailbox
from callboard.runtime.waits import find_cycle


class State(IntEnum):
    """Where an actor stands in its life. Up to RESTARTING it takes messages."""

    STARTING = 0
    RUNNING = 1
    PASSIVE = 2
    RESTARTING = 3
    DRAINING = 4
    CLOSING = 5
    STOPPED = 6


LAST_OPEN = State.RESTARTING
_NO_HANDLERS = HandlerTable({})


class Inbox:
    """Takes messages in, or says why not. Nothing here waits or runs a handler."""

    __slots__ = (
        "current",
        "kernel",
        "mailbox",
        "path",
        "reentrants",
        "scheduled",
        "state",
        "table",
    )

    def __init__(self, kernel: Kernel, path: str, options: MailboxOptions) -> None:
        self.kernel = kernel
        self.path = path
        self.table = _NO_HANDLERS
        self.mailbox = _mailbox(kernel, options)
        self.state = State.STARTING
        self.scheduled = True
        """Whether it is with a worker or queued for one; also while it must not be."""
        self.current: Envelope | None = None
        """The exclusive handler that runs or is suspended."""
        self.reentrants: set[Envelope] | None = None
        """The reentrant handlers that run or are about to."""

    @property
    def address(self) -> Address:
        """Where it lives."""
        return self.kernel.address(self.path)

    @property
    def kind(self) -> str:
        """Name of the actor's class."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        """Its own name: the last part of the path."""
        return self.path.rpartition("/")[2]

    def post(self, envelope: Envelope) -> None:
        """Deliver without waiting for room.

        Raises:
            MailboxFullError: The mailbox is full, and its policy is to block or to reject.
            ActorStoppedError: The actor takes no more messages, and the envelope is an ask.
        """
        if self.kernel.tracer is not None:
            self.kernel.sent(envelope)
        if self.state > LAST_OPEN:
            self._refuse(envelope)
        elif self.mailbox.put(envelope):
            self._arrived()
        else:
            self._overflow(envelope)

    def offer(self, envelope: Envelope, waiter: Envelope | None) -> Blocked | None:
        """Deliver, or line up for room if the policy is to block.

        Args:
            envelope: What to deliver.
            waiter: The envelope whose handler sends it, None outside of handlers.

        Returns:
            The place in the line; None if the message is in.

        Raises:
            MailboxFullError: As for `post`, and at once for a message to oneself.
            AskCycleError: The line would wait for the sender.
        """
        if self.kernel.tracer is not None:
            self.kernel.sent(envelope)
        if self.state > LAST_OPEN:
            self._refuse(envelope)
            return None
        if self.mailbox.put(envelope):
            self._arrived()
            return None
        if self.mailbox.options.overflow != "block":
            self._overflow(envelope)
            return None
        if waiter is not None:
            self._check_blocked_send(envelope, waiter)
        return self.mailbox.wait(envelope, None if envelope.slot else self.kernel.make_slot())

    def deliver_down(self, envelope: Envelope, ended: Party) -> None:
        """Deliver the news of an actor's end ahead of what waits, but for what that actor sent."""
        if self.state <= State.DRAINING:
            self.mailbox.expedite(envelope, ended)
            self._arrived()

    def check_cycle(self, envelope: Envelope, waiter: Envelope) -> bool:
        """Look for a circle that an ask would close.

        Returns:
            Whether the envelope must be started at once: its handler is reentrant, and waiting for
            its turn would close a circle.

        Raises:
            AskCycleError: The ask would wait for itself.
        """
        if self.current is None or not (path := find_cycle(waiter, envelope)):
            return False
        handler = self.table.find(envelope.message.__class__)
        if handler is not None and handler.reentrant:
            return True
        raise AskCycleError(path, envelope.type_name)

    def jump(self, envelope: Envelope) -> None:
        """Start a reentrant handler at once, ahead of what is queued."""
        handler = self.table.find(envelope.message.__class__)
        assert handler is not None, "found by check_cycle"  # noqa: S101  an invariant of callers
        if self.kernel.tracer is not None:
            self.kernel.sent(envelope)
        self.kernel.accept(envelope)
        self._start_reentrant(envelope, handler)

    def expired(self, envelope: Envelope) -> None:
        """Answer a sender whose deadline has passed."""
        blocked = self.mailbox.leave(envelope)
        if blocked is not None:
            self.kernel.counters.rejected += 1
            blocked.slot.set_result(Failure(self._full(envelope)))
            return
        slot = envelope.slot
        if slot is not None:
            slot.set_result(Failure(self._timeout(envelope)))
        if self.runs(envelope):
            self._cancel_if_declared(envelope)
        else:
            envelope.fate = "expired"

    def runs(self, envelope: Envelope) -> bool:
        """Return whether a handler for the envelope has started and not ended."""
        return envelope is self.current or envelope in (self.reentrants or ())

    def abandon(self, envelope: Envelope) -> None:
        """Take note that a sender was cancelled while it waited."""
        heir = getattr(envelope, "heir", None)
        if heir is not None:
            heir.recipient.abandon(heir)
        elif self.mailbox.leave(envelope) is None and envelope.slot is not None:
            self._cancel_if_declared(envelope)

    def bury(self, envelope: Envelope, reason: Reason) -> None:
        """Make a dead letter of an accepted message, and answer its asker."""
        self.kernel.bury(envelope, reason)
        slot = envelope.slot
        if slot is not None and not slot.done():
            slot.set_result(Failure(self._error_for(envelope, reason)))

    def _arrived(self) -> None:
        raise NotImplementedError

    def _start_reentrant(self, envelope: Envelope, handler: Handler) -> None:
        raise NotImplementedError

    def _cancel_if_declared(self, envelope: Envelope) -> None:
        declared = getattr(envelope.message, "cancel_with_asker", False)
        if not declared or envelope.fate is not None:
            return
        envelope.fate = "asker_cancelled"
        envelope.cancel()

    def _refuse(self, envelope: Envelope) -> None:
        if envelope.slot is not None:
            self.kernel.counters.rejected += 1
            raise ActorStoppedError(self.address, envelope.type_name)
        self.kernel.accept(envelope)
        self.bury(envelope, "stopped")

    def _overflow(self, envelope: Envelope) -> None:
        overflow = self.mailbox.options.overflow
        if overflow in ("block", "reject"):
            self.kernel.counters.rejected += 1
            raise self._full(envelope)
        victim = self.mailbox.evict(envelope) if overflow == "drop_oldest" else None
        self.mailbox.dropped += 1
        if victim is None:
            self.kernel.accept(envelope)
            self.bury(envelope, "dropped_newest")
        else:
            self.bury(victim, "dropped_oldest")
            self.mailbox.force(envelope)
            self._arrived()

    def _check_blocked_send(self, envelope: Envelope, waiter: Envelope) -> None:
        if path := find_cycle(waiter, envelope):
            self.kernel.counters.rejected += 1
            if waiter.recipient is self:
                raise self._full(envelope)
            raise AskCycleError(path, envelope.type_name)
        waiter.wait_for(envelope)

    def _full(self, envelope: Envelope) -> MailboxFullError:
        options = self.mailbox.options
        return MailboxFullError(
            self.address, envelope.type_name, options.capacity, options.overflow
        )

    def _timeout(self, envelope: Envelope) -> AskTimeoutError:
        state = "handling" if self.runs(envelope) else "queued"
        timeout = envelope.deadline - envelope.asked_at
        return AskTimeoutError(self.address, envelope.type_name, timeout, state)

    def _error_for(self, envelope: Envelope, reason: Reason) -> ActorError:
        name = envelope.type_name
        match reason:
            case "unhandled":
                return UnhandledMessageError(self.address, name, self.table.messages)
            case "dropped_oldest" | "dropped_newest" | "mailbox_full":
                return self._full(envelope)
            case "restarted":
                return ActorRestartedError(self.address, name)
            case "expired":
                return self._timeout(envelope)
            case _:
                return ActorStoppedError(self.address, name)


def _mailbox(kernel: Kernel, options: MailboxOptions) -> Mailbox:
    if kernel.journal is None:
        return Mailbox(options, kernel.mail_room)
    return ObservedMailbox(options, kernel.mail_room, kernel.journal)
