"""ThreadCalls: runs a synchronous client in threads, so few at a time, and abandons it cleanly.

A thread can't be cancelled. A cancelled call therefore leaves it behind, and what the thread comes
back with (an answer, an open stream) is discarded there and then by the thread itself, never while
it is still being read.
"""

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio
import anyio.to_thread

from callboard.backends.event_loop import running_loop

T = TypeVar("T")


class ThreadCalls:
    """Runs functions in threads.

    Args:
        limit: Threads at the same time in each event loop; further calls wait.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._limiters: WeakKeyDictionary[object, anyio.CapacityLimiter] = WeakKeyDictionary()

    async def run(self, function: Callable[[], T], discard: Callable[[T], object]) -> T:
        """Run a function in a thread. Cancelling returns at once.

        Args:
            function: What to run.
            discard: Called with the result, perhaps in the thread, if nobody waits for it any more.

        Raises:
            Exception: Whatever the function raises.
        """
        fate = _Fate(function, discard)
        try:
            await anyio.to_thread.run_sync(
                fate.run, limiter=self._limiter(), abandon_on_cancel=True
            )
        except anyio.get_cancelled_exc_class():
            fate.abandon()
            raise
        return fate.take()

    def _limiter(self) -> anyio.CapacityLimiter:
        loop = running_loop()
        limiter = self._limiters.get(loop)
        if limiter is None:
            limiter = self._limiters[loop] = anyio.CapacityLimiter(self._limit)
        return limiter


class _Fate(Generic[T]):
    """Whether anybody waits for a function's result, and what becomes of it if not."""

    def __init__(self, function: Callable[[], T], discard: Callable[[T], object]) -> None:
        self._function = function
        self._discard = discard
        self._abandoned = False
        self._results: list[T] = []

    def run(self) -> None:
        # The result stays here: trio does not let a thread return a coroutine.
        self._results.append(self._function())
        if self._abandoned:
            self._drop()

    def take(self) -> T:
        return self._results.pop()

    def abandon(self) -> None:
        self._abandoned = True
        self._drop()

    def _drop(self) -> None:
        # Both sides come here; the list hands its one result to whoever comes first.
        try:
            result = self._results.pop()
        except IndexError:
            return
        self._discard(result)
