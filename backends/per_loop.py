"""PerLoop: something that belongs to one event loop, made when first needed in each.

A client's connections live and die with the loop in which they were opened. Each loop therefore has
its own, and each is closed in its own loop, whichever comes first: `aclose` there, the end of the
loop, or the loss of the last reference. The last two are seen by an async generator that sleeps in
the loop: asyncio (`shutdown_asyncgens`, as `asyncio.run` does) and trio both wake it for its
`finally`.
"""

import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import anyio

from callboard.backends.event_loop import close_in_trio, is_trio, running_loop

T = TypeVar("T")

CLOSING = 5.0
"""Seconds that closing may take, which no cancellation can cut short."""


@dataclass(frozen=True, slots=True)
class _Life(Generic[T]):
    value: T
    end: AsyncGenerator[None]
    """Closing it closes the value."""


class PerLoop(Generic[T]):
    """One value for each event loop that asks.

    Args:
        make: Makes the value, inside the loop.
        close: Closes it, inside the same loop; refers to nothing that owns this object.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[object]]) -> None:
        self._make = make
        self._close = close
        self._lives: weakref.WeakKeyDictionary[object, _Life[T]] = weakref.WeakKeyDictionary()

    async def get(self) -> T:
        """Return the running loop's value; made now if there is none yet."""
        loop = running_loop()
        life = self._lives.get(loop)
        return life.value if life is not None else await self._begin(loop)

    async def aclose(self) -> None:
        """Close the running loop's value now, and those of other loops when their turn comes.

        A loop that has ended has closed its own already.
        """
        here = running_loop()
        own = self._lives.pop(here, None)
        while self._lives:
            loop, life = self._lives.popitem()
            if is_trio(loop):
                close_in_trio(loop, life.end)
            # asyncio's loops are told by the loss of the last reference, just here.
            del life
        if own is not None:
            await own.end.aclose()

    async def _begin(self, loop: object) -> T:
        value = self._make()
        end = _live(value, self._close, weakref.ref(self._lives), weakref.ref(loop))
        self._lives[loop] = _Life(value, end)
        await anext(end)
        return value


async def _live(
    value: T, close: Callable[[T], Awaitable[object]], lives: Any, loop: Any
) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        # The value knows its loop, so that weak keys alone would never let go of either.
        if (known := lives()) is not None:
            known.pop(loop(), None)
        with anyio.move_on_after(CLOSING, shield=True):
            await close(value)
