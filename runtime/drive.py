"""Driving a coroutine by hand, inside a context of its own.

A task per message would be the usual way to give each handler the context variables of its sender;
it costs three times as much as the message itself. Instead one task drives many handlers: each step
of a handler's coroutine runs through `Context.run`, and what the coroutine yields to the event loop
is passed on untouched. The loop sees one task, so cancel scopes, task groups, locks and
`current_task()` work as in any other coroutine.
"""

from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any, TypeVar

T = TypeVar("T")


@coroutine
def resume(
    context: Context, driven: Coroutine[Any, Any, T], yielded: Any
) -> Generator[Any, Any, T]:
    """Drive a coroutine that has yielded once on to its end.

    Args:
        context: What each step runs in.
        driven: The coroutine.
        yielded: What it yielded to the event loop.
    """
    while True:
        sent: Any
        try:
            sent = yield yielded
        except BaseException as error:  # noqa: BLE001  it is thrown in, not swallowed
            step: Callable[[Any], Any] = driven.throw
            sent = error
        else:
            step = driven.send
        try:
            yielded = context.run(step, sent)
        except StopIteration as stop:
            value: T = stop.value
            return value


async def drive(context: Context, driven: Coroutine[Any, Any, T]) -> T:
    """Drive a coroutine from its beginning to its end, inside a context."""
    try:
        yielded = context.run(driven.send, None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    return await resume(context, driven, yielded)
