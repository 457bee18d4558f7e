"""Publishing: one message to every subscriber of a topic."""

import math
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import anyio

from callboard.runtime.blocked import Blocked
from callboard.runtime.envelope import Envelope, current_envelope
from callboard.runtime.errors import AskCycleError, JournalRefusedError, MailboxFullError
from callboard.runtime.gate import until_synced
from callboard.runtime.kernel import Kernel
from callboard.runtime.message import Message
from callboard.runtime.ref import Endpoint, wait_for_room
from callboard.runtime.topics import Topic

M = TypeVar("M", bound=Message[Any])


async def publish(kernel: Kernel, topic: Topic[M], message: M) -> int:
    """Deliver to each subscriber; see `Runtime.publish`."""
    if not isinstance(message, topic.message_type):
        raise TypeError(
            f"topic {topic.name!r} carries {topic.message_type.__name__}, "
            f"got {type(message).__name__}"
        )
    trial = _try_all(kernel, topic, message)
    delivered = trial.delivered
    if trial.lined_up:
        delivered += await _wait_for_all(kernel, trial.lined_up)
    if kernel.gate is not None:
        await until_synced(kernel, kernel.gate, message, message.default_timeout)
    return delivered


@dataclass(frozen=True, slots=True)
class _Trial:
    """What became of one message at first attempt."""

    delivered: int
    lined_up: list[Blocked]


def _try_all(kernel: Kernel, topic: Topic[Any], message: Any) -> _Trial:
    waiter = current_envelope.get()
    delivered, lined_up = 0, list[Blocked]()
    context = copy_context()
    for subscriber in kernel.subscriptions.of(topic):
        envelope = _envelope(message, subscriber, waiter, context)
        try:
            blocked = subscriber.offer(envelope, waiter)
        except (MailboxFullError, AskCycleError):
            kernel.bury_rejected(envelope, "mailbox_full")
            continue
        except JournalRefusedError:
            kernel.bury_rejected(envelope, "not_journalled")
            continue
        if blocked is None:
            delivered += 1
        else:
            lined_up.append(blocked)
    return _Trial(delivered, lined_up)


def _envelope(
    message: Any, subscriber: Endpoint, waiter: Envelope | None, context: Context
) -> Envelope:
    sender = None if waiter is None else waiter.recipient
    return Envelope(message, subscriber, "publish", None, sender, math.inf, context.copy())


async def _wait_for_all(kernel: Kernel, lined_up: list[Blocked]) -> int:
    waiter = current_envelope.get()
    outcomes: list[bool] = []

    async def wait(blocked: Blocked) -> None:
        endpoint = cast("Endpoint", blocked.envelope.recipient)
        try:
            await wait_for_room(endpoint, blocked, waiter, None)
        except MailboxFullError:
            kernel.bury_rejected(blocked.envelope, "mailbox_full")
        else:
            outcomes.append(True)

    async with anyio.create_task_group() as group:
        for blocked in lined_up:
            group.start_soon(wait, blocked)
    return len(outcomes)
