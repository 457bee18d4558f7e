"""Asking many actors at once: every outcome, in order, whatever becomes of the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar, cast

from callboard.runtime.envelope import Envelope, Failure
from callboard.runtime.errors import ActorError
from callboard.runtime.message import Message
from callboard.runtime.ref import ActorRef, Endpoint, begin_ask, confirm, end_wait

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Answered(Generic[R_co]):
    """The reply of one actor."""

    ref: ActorRef
    """Who replied."""
    value: R_co
    """What it replied."""

    def result(self) -> R_co:
        """Return the reply."""
        return self.value


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Why there is no reply of one actor."""

    ref: ActorRef
    """Who was asked."""
    error: BaseException
    """What `ask` would have raised."""

    def result(self) -> NoReturn:
        """Raise the error."""
        raise self.error


Outcome = Answered[R] | Unanswered
"""How one of many asks ended: `isinstance` or `match` tells which; `result()` returns or raises."""


async def ask_all(
    refs: Iterable[ActorRef],
    message: Message[R] | Sequence[Message[R]],
    *,
    timeout: float | None = None,
) -> list[Outcome[R]]:
    """Ask many actors at the same time and return every outcome, in the order of the references.

    All messages are sent before the first reply is waited for, without a task for each. One failure
    cancels nothing. It takes as long as the slowest, and never longer than the deadline. If the
    caller is cancelled, it is as with `ask`: handlers go on unless their message is declared
    `cancel_with_asker`.

    Args:
        refs: Whom to ask.
        message: What to ask: one message for all, or one for each.
        timeout: Seconds for each, as for `ask`.

    Raises:
        ValueError: There are not as many messages as references, or the timeout is not a finite
            number >= 0.
    """
    targets = list(refs)
    messages = [message] * len(targets) if isinstance(message, Message) else message
    asks: list[Envelope | Unanswered] = []
    try:
        for ref, each in zip(targets, messages, strict=True):
            asks.append(_begin(ref, each, timeout))
        return [await _end(ref, ask) for ref, ask in zip(targets, asks, strict=True)]
    except BaseException:
        _abandon(asks)
        raise


def _begin(ref: ActorRef, message: Message[Any], timeout: float | None) -> Envelope | Unanswered:
    try:
        return begin_ask(ref.endpoint, message, timeout)
    except ActorError as error:
        return Unanswered(ref, error)


async def _end(ref: ActorRef, ask: Envelope | Unanswered) -> Outcome[Any]:
    if isinstance(ask, Unanswered):
        return ask
    assert ask.slot is not None, "an ask has one"  # noqa: S101  an invariant of begin_ask
    try:
        outcome = await ask.slot
    except BaseException:
        _give_up(ask)
        raise
    finally:
        end_wait(ask)
    try:
        await confirm(ask, outcome)
    except ActorError as error:
        return Unanswered(ref, error)
    return Unanswered(ref, outcome.error) if type(outcome) is Failure else Answered(ref, outcome)


def _abandon(asks: Iterable[Envelope | Unanswered]) -> None:
    """Give up all asks that nobody waits for any more."""
    for ask in asks:
        if isinstance(ask, Envelope) and ask.slot is not None and not ask.slot.done():
            ask.slot.set_result(None)
            end_wait(ask)
            _give_up(ask)


def _give_up(ask: Envelope) -> None:
    cast("Endpoint", ask.recipient).abandon(ask)
