"""References: the capability to send messages to an actor."""

import math
from contextvars import copy_context
from typing import Any, NoReturn, Protocol, TypeVar, cast

from callboard.ambient.deadline import ambient_deadline
from callboard.runtime.address import Address
from callboard.runtime.blocked import Blocked
from callboard.runtime.envelope import Envelope, Failure, Party, current_envelope
from callboard.runtime.errors import ActorError, AskTimeoutError
from callboard.runtime.gate import synced_by, until_synced
from callboard.runtime.kernel import Kernel
from callboard.runtime.message import Message

R = TypeVar("R")

STOP_TIMEOUT = 5.0
"""Seconds that a stop gives an actor to handle what is queued."""


class Endpoint(Party, Protocol):
    """The receiving side of a reference."""

    @property
    def kernel(self) -> Kernel:
        """The world it lives in."""
        ...

    def post(self, envelope: Envelope) -> None:
        """Deliver without waiting for room."""
        ...

    def offer(self, envelope: Envelope, waiter: Envelope | None) -> Blocked | None:
        """Deliver, or line up for room on behalf of the waiter's handler."""
        ...

    def check_cycle(self, envelope: Envelope, waiter: Envelope) -> bool:
        """Raise if the waiter waited for itself; return whether to jump the queue instead."""
        ...

    def jump(self, envelope: Envelope) -> None:
        """Start a reentrant handler at once."""
        ...

    def abandon(self, envelope: Envelope) -> None:
        """Take note that nobody waits for the reply any more."""
        ...

    async def stop(self, timeout: float) -> None:
        """Stop the actor and wait for its end."""
        ...


class ActorRef:
    """Sends messages to one actor. It survives restarts of the actor, and compares by address.

    Ordering: what one sender sends to one actor is handled in the order in which it was sent; no
    order holds between different senders. Delivery is at most once.
    """

    __slots__ = ("_endpoint",)

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    @property
    def address(self) -> Address:
        """The actor's identity, which pickles; `Runtime.find` leads back to a reference."""
        return self._endpoint.address

    @property
    def endpoint(self) -> Endpoint:
        """The receiving side; for the runtime's own use."""
        return self._endpoint

    async def ask(self, message: Message[R], *, timeout: float | None = None) -> R:
        """Send a message and wait for its reply.

        It ends exactly once, at the latest at its deadline: with the reply or with one of the
        errors below. If the caller is cancelled, the handler goes on, unless the message is
        declared `cancel_with_asker`.

        Args:
            message: What to ask.
            timeout: Seconds for everything, waiting for room included. None means the message's
                `default_timeout`. Inside a handler, the deadline of the message that is being
                handled holds as well.

        Raises:
            HandlerError: The handler raised.
            AskTimeoutError: The deadline passed.
            AskCycleError: The actor waits, directly or not, for the one that asks.
            MailboxFullError: There was no room, or the message was dropped to make some.
            ActorStoppedError: The actor has stopped or did so before it replied.
            ActorRestartedError: The actor restarted while it handled the message.
            UnhandledMessageError: The actor has no handler for the message.
            JournalRefusedError: The runtime has a journal, which can't keep the message.
            ValueError: The timeout is not a finite number >= 0.
        """
        endpoint = self._endpoint
        envelope = begin_ask(endpoint, message, timeout)
        slot = envelope.slot
        assert slot is not None, "an ask has one"  # noqa: S101  an invariant of begin_ask
        try:
            outcome = await slot
        except BaseException:
            endpoint.abandon(envelope)
            raise
        finally:
            if envelope.sender is not None:
                end_wait(envelope)
        if endpoint.kernel.gate is not None:
            await confirm(envelope, outcome)
        if type(outcome) is Failure:
            raise outcome.error
        reply: R = outcome
        return reply

    async def tell(self, message: Message[Any], *, timeout: float | None = None) -> None:
        """Send a message without waiting for it to be handled.

        It returns when the mailbox has taken the message, which is at once if there is room. What
        happens to the message afterwards is not the sender's: a failing handler is supervised, and
        what cannot be delivered (a stopped actor, no such handler) becomes a dead letter.

        Args:
            message: What to send.
            timeout: Seconds to wait for room in a mailbox that blocks; None means the message's
                `default_timeout`.

        Raises:
            MailboxFullError: No room in time, or at once if the actor's policy is to reject, or if
                the actor sends to itself.
            AskCycleError: Actors would wait for room in one another's mailboxes.
            JournalRefusedError: The runtime has a journal, which can't keep the message.
            JournalTimeoutError: The message is in, but was not on the journal's disk in time.
        """
        endpoint = self._endpoint
        waiter = current_envelope.get()
        sender = None if waiter is None else waiter.recipient
        envelope = Envelope(message, endpoint, "tell", None, sender, math.inf, copy_context())
        blocked = endpoint.offer(envelope, waiter)
        if blocked is not None:
            await wait_for_room(endpoint, blocked, waiter, timeout)
        gate = endpoint.kernel.gate
        if gate is not None:
            patience = _default_timeout(message) if timeout is None else timeout
            await until_synced(endpoint.kernel, gate, message, patience)

    def tell_nowait(self, message: Message[Any]) -> None:
        """Send a message like `tell`, but never wait for room.

        Raises:
            MailboxFullError: No room, and the policy is to block or to reject.
            JournalRefusedError: The runtime has a journal, which can't keep the message.
        """
        endpoint = self._endpoint
        waiter = current_envelope.get()
        sender = None if waiter is None else waiter.recipient
        endpoint.post(Envelope(message, endpoint, "tell", None, sender, math.inf, copy_context()))

    async def stop(self, *, timeout: float = STOP_TIMEOUT) -> None:
        """Stop the actor and wait until it has ended.

        It takes no more messages; what is queued is handled for as long as the timeout allows; then
        its handlers are cancelled, what is left becomes dead letters, and every ask that waits
        still gets ActorStoppedError. Its children stop next, the youngest first, and `on_stop` runs
        last. Stopping twice, or stopping what has stopped, is fine. An actor that stops itself does
        not wait.

        Args:
            timeout: Seconds for what is queued; 0 cancels at once.
        """
        await self._endpoint.stop(timeout)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"ActorRef({str(self.address)!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{self!r} belongs to this process and does not pickle: pickle its .address, and use "
            "Runtime.find(address) on the other side"
        )


def begin_ask(endpoint: Endpoint, message: Message[Any], timeout: float | None) -> Envelope:
    """Send an ask on behalf of whoever runs now; see `ActorRef.ask` for the errors.

    Returns:
        The envelope, whose slot is to be waited for.
    """
    kernel = endpoint.kernel
    if timeout is None:
        timeout = _default_timeout(message)
    now = kernel.time()
    deadline = min(now + timeout, ambient_deadline())
    if not now < deadline < math.inf:
        _refuse_timeout(endpoint, message, timeout)
    waiter = current_envelope.get()
    slot = kernel.make_slot()
    sender = None if waiter is None else waiter.recipient
    envelope = Envelope(message, endpoint, "ask", slot, sender, deadline, copy_context())
    envelope.asked_at = now
    if waiter is None:
        endpoint.offer(envelope, None)
    else:
        _offer_from_handler(endpoint, envelope, waiter)
    kernel.timers.add(deadline, slot, envelope)
    return envelope


def end_wait(envelope: Envelope) -> None:
    """Take note that the handler that runs now waits for an envelope no longer."""
    waiter = current_envelope.get()
    if waiter is not None:
        waiter.wait_over(envelope)


async def confirm(envelope: Envelope, outcome: Any) -> None:
    """Wait until the journal, where senders wait for it, has what the asker is about to be told.

    Raises:
        AskTimeoutError: It did not get that onto the disk before the deadline.
    """
    kernel = cast("Endpoint", envelope.recipient).kernel
    if kernel.gate is None or not _is_answer(outcome):
        return
    if not await synced_by(kernel, kernel.gate, envelope.deadline):
        timeout = envelope.deadline - envelope.asked_at
        address = envelope.recipient.address
        raise AskTimeoutError(address, envelope.type_name, timeout, "unsynced")


async def wait_for_room(
    endpoint: Endpoint, blocked: Blocked, waiter: Envelope | None, timeout: float | None
) -> None:
    """Wait until a lined-up message is in the mailbox.

    Raises:
        MailboxFullError: If that takes too long.
    """
    if timeout is None:
        timeout = _default_timeout(blocked.envelope.message)
    deadline = min(endpoint.kernel.time() + timeout, ambient_deadline())
    endpoint.kernel.timers.add(deadline, blocked.slot, blocked)
    try:
        outcome = await blocked.slot
    except BaseException:
        endpoint.abandon(blocked.envelope)
        raise
    finally:
        if waiter is not None:
            waiter.wait_over(blocked.envelope)
    if type(outcome) is Failure:
        raise outcome.error


def _offer_from_handler(endpoint: Endpoint, envelope: Envelope, waiter: Envelope) -> None:
    if endpoint.check_cycle(envelope, waiter):
        endpoint.jump(envelope)
    else:
        endpoint.offer(envelope, waiter)
    waiter.wait_for(envelope)


def _is_answer(outcome: Any) -> bool:
    """Return whether the handler itself replied, with a value or one of its reply errors."""
    return type(outcome) is not Failure or not isinstance(outcome.error, ActorError)


def _refuse_timeout(endpoint: Endpoint, message: Message[Any], timeout: float) -> NoReturn:
    if not 0 <= timeout < math.inf:
        raise ValueError(f"timeout must be a finite number of seconds >= 0, got {timeout!r}")
    name = type(message).__name__
    raise AskTimeoutError(endpoint.address, name, timeout, "unsent")


def _default_timeout(message: Any) -> float:
    try:
        timeout: float = message.default_timeout
    except AttributeError:
        kind = type(message).__name__
        raise TypeError(
            f"actors exchange Messages, got {kind}: derive it, as in `class {kind}(Message[...])`"
        ) from None
    return timeout
