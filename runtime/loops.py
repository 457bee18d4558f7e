"""What differs between event loops: the one place that knows asyncio from trio.

A *slot* is a place for one value that one task waits for. On asyncio it is the loop's own future,
on trio a task that is rescheduled; both cost a fraction of an `anyio.Event`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass
from typing import Any, Protocol

import anyio


class Slot(Protocol):
    """A place for one value. A waiter that is cancelled leaves the slot done, without a value."""

    def done(self) -> bool:
        """Return whether it has a value, or nobody waits for one any more."""
        ...

    def set_result(self, value: Any, /) -> None:
        """Put the value in and wake the waiter; only while the slot is not done."""
        ...

    def __await__(self) -> Generator[Any, Any, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """The running event loop, as far as the runtime needs to know it."""

    make_slot: Callable[[], Slot]
    """Return an empty slot."""
    time: Callable[[], float]
    """The clock of `anyio.current_time()`, without its look-up of the backend."""
    pause: Callable[[], Awaitable[None]]
    """Let every other task run once."""


def current_loop() -> Loop:
    """Return the loop that the caller runs on."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        loop = asyncio.get_running_loop()
        return Loop(make_slot=loop.create_future, time=loop.time, pause=_asyncio_pause)
    from callboard.runtime import trio_slot  # noqa: PLC0415  trio is an extra

    return Loop(make_slot=trio_slot.TrioSlot, time=trio_slot.current_time, pause=trio_slot.pause)


def current_waker() -> Callable[[Callable[[], None]], object]:
    """Return how to have the running loop call something soon, from signal handlers and threads."""
    if anyio.get_cancelled_exc_class() is asyncio.CancelledError:
        return asyncio.get_running_loop().call_soon_threadsafe
    from callboard.runtime import trio_slot  # noqa: PLC0415  trio is an extra

    return trio_slot.current_waker()


async def _asyncio_pause() -> None:
    await asyncio.sleep(0)  # noqa: TID251  the seam itself: anyio's checkpoint costs ten times this
