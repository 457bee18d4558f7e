"""Contexts: what an actor can do beyond handling the message at hand."""

import math
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, Protocol, TypeVar, TypeVarTuple, cast

from callboard.runtime.behaviour import Behaviour
from callboard.runtime.envelope import Envelope, current_envelope
from callboard.runtime.logs import own_logger
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.message import Message
from callboard.runtime.publishing import publish
from callboard.runtime.ref import ActorRef, Endpoint
from callboard.runtime.schedule import Schedule
from callboard.runtime.supervision import Restart, Supervision
from callboard.runtime.terms import Shutdown
from callboard.runtime.topics import Topic

R = TypeVar("R")
M = TypeVar("M", bound=Message[Any])
Ts = TypeVarTuple("Ts")


class Home(Endpoint, Protocol):
    """The actor's side of the runtime."""

    @property
    def incarnation(self) -> int:
        """How often it has restarted."""
        ...

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        ...

    async def spawn_child(
        self,
        factory: Callable[..., Behaviour],
        args: tuple[Any, ...],
        *,
        name: str | None,
        mailbox: MailboxOptions | None,
        restart: Restart,
        supervision: Supervision | None,
        shutdown: Shutdown,
        passivate_after: float | None,
    ) -> ActorRef:
        """Start a child."""
        ...

    def watch(self, ref: ActorRef) -> None:
        """Have a Down delivered when another actor ends."""
        ...


class _Forwarded:
    """What a handler returns when the reply is another actor's business."""


FORWARDED = _Forwarded()


class Context:
    """An actor's view of the runtime: `self.context`.

    `sender` and `deadline` belong to the message being handled; the rest is the actor's own.
    """

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        self._home = home

    @property
    def ref(self) -> ActorRef:
        """A reference to this actor, to hand out."""
        return ActorRef(self._home)

    @property
    def log(self) -> Any:
        """A structlog logger bound to the actor's address."""
        return own_logger(self._home.address)

    @property
    def sender(self) -> ActorRef | None:
        """Who sent the message at hand; None if code outside of actors did."""
        envelope = self._envelope()
        if envelope is None or envelope.sender is None:
            return None
        return ActorRef(cast("Endpoint", envelope.sender))

    @property
    def deadline(self) -> float:
        """When the message at hand must be answered, on the clock of `anyio.current_time()`.

        Infinite for a tell, and outside of a handler.
        """
        envelope = self._envelope()
        return math.inf if envelope is None else envelope.deadline

    async def spawn(
        self,
        factory: Callable[[*Ts], Behaviour],
        *args: *Ts,
        name: str | None = None,
        mailbox: MailboxOptions | None = None,
        restart: Restart = "permanent",
        supervision: Supervision | None = None,
        shutdown: Shutdown = None,
        passivate_after: float | None = None,
    ) -> ActorRef:
        """Start an actor as a child of this one; see `Runtime.spawn`.

        A child ends before its parent does, and a restart of the parent ends it: spawn children in
        `on_start` to have them back.
        """
        return await self._home.spawn_child(
            factory,
            args,
            name=name,
            mailbox=mailbox,
            restart=restart,
            supervision=supervision,
            shutdown=shutdown,
            passivate_after=passivate_after,
        )

    def watch(self, ref: ActorRef) -> None:
        """Receive exactly one `Down` when the other actor ends, at once if it has ended already.

        Down skips the bounds of the mailbox. Watching one actor twice is watching it once.
        """
        self._home.watch(ref)

    async def publish(self, topic: Topic[M], message: M) -> int:
        """Send a message to all subscribers of a topic; see `Runtime.publish`."""
        return await publish(self._home.kernel, topic, message)

    def subscribe(self, topic: Topic[Any]) -> None:
        """Receive from now on, until the end of this actor, what is published under the topic."""
        self._home.kernel.subscriptions.add(topic, self._home)

    def unsubscribe(self, topic: Topic[Any]) -> None:
        """Receive no more of the topic."""
        self._home.kernel.subscriptions.remove(topic, self._home)

    def schedule(
        self,
        delay: float,
        message: Message[Any],
        *,
        to: ActorRef | None = None,
        every: float | None = None,
    ) -> Schedule:
        """Tell a message later, once or again and again.

        A schedule ends with the incarnation of the actor that made it: at its restart or stop.

        Args:
            delay: Seconds until the first message.
            message: What to tell.
            to: Whom to tell; None means this actor.
            every: Seconds between further messages; None for one message only.

        Returns:
            The schedule, which can be cancelled.

        Raises:
            ValueError: If the delay is negative or the period is not positive.
        """
        home = self._home
        incarnation = home.incarnation

        def current() -> bool:
            return home.alive and home.incarnation == incarnation

        target = ActorRef(home) if to is None else to
        schedule = Schedule(home.kernel, target, message, every=every, wanted=current, sender=home)
        schedule.start(delay)
        return schedule

    async def forward(self, ref: ActorRef, message: Message[R]) -> R:
        """Hand the duty to reply on to another actor: `return await self.context.forward(...)`.

        The asker gets that actor's reply, or its error; this actor is free at once. The value
        returned here is a token without a meaning of its own. The deadline stays that of the asker.

        Raises:
            RuntimeError: If no message is being handled.
            MailboxFullError: If the other actor has no room; the duty then stays here.
        """
        envelope = self._envelope()
        if envelope is None or envelope.kind == "hook":
            raise RuntimeError("forward hands on the message at hand: call it inside a handler")
        forward_envelope(envelope, ref.endpoint, message)
        return cast("R", FORWARDED)

    def _envelope(self) -> Envelope | None:
        envelope = current_envelope.get()
        return envelope if envelope is not None and envelope.recipient is self._home else None


def forward_envelope(envelope: Envelope, target: Endpoint, message: Message[Any]) -> None:
    """Send a message on in the name of whoever sent the envelope."""
    heir = Envelope(
        message,
        target,
        envelope.kind,
        envelope.slot,
        envelope.sender,
        envelope.deadline,
        copy_context(),
    )
    target.post(heir)
    if envelope.slot is not None:
        envelope.slot = None
        envelope.heir = heir
        heir.asked_at = envelope.asked_at
        envelope.wait_for(heir)
