"""ConcurrencyLimit: lets so many calls through at a time, and the others wait their turn."""

from collections import deque
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

import anyio

from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.event_loop import running_loop
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class ConcurrencyStatistics:
    """A look at a limit, in the event loop that asks."""

    limit: int
    active: int
    """Calls under way."""
    waiting: int
    """Calls that wait for their turn."""
    peak: int
    """The most calls ever under way together."""


class ConcurrencyLimit(Wrapper):
    """Lets at most `limit` calls through at a time; the others wait, first come, first served.

    A place that falls free goes to the one who has waited longest, and nobody overtakes. A
    cancelled waiter gives its place on. Waiting counts against the deadline, and not against
    attempt timeouts, which lie further inside. One instance in several stacks is one limit for all
    of them together; each event loop counts for itself, so an instance may outlive its loop.

    Args:
        limit: How many calls; at least 1.

    Raises:
        ValueError: If the limit is below 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit!r}")
        self.limit = limit
        """How many calls may be under way at a time."""
        self._queues: WeakKeyDictionary[object, _Queue] = WeakKeyDictionary()
        self._latest: _Queue | None = None

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request when its turn comes."""
        queue = self._queue()
        if not queue.entered():
            await queue.turn()
        try:
            return await call_next(request, sink)
        finally:
            queue.leave()

    def statistics(self) -> ConcurrencyStatistics:
        """Return how many are under way and waiting in the running event loop."""
        queue = self._queue()
        return ConcurrencyStatistics(
            limit=self.limit,
            active=self.limit - queue.free,
            waiting=len(queue.waiters),
            peak=self.limit - queue.least_free,
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """A limit crosses process boundaries empty."""
        return ConcurrencyLimit, (self.limit,)

    def _queue(self) -> "_Queue":
        loop = running_loop()
        latest = self._latest
        if latest is not None and latest.loop() is loop:
            return latest
        # Loops in several threads may come here together; setdefault lets one of them win.
        queue = self._queues.setdefault(loop, _Queue(loop, self.limit))
        self._latest = queue
        return queue


class _Queue:
    """The places of one event loop, and who waits for them. Nothing here is shared with another."""

    __slots__ = ("free", "least_free", "loop", "waiters")

    def __init__(self, loop: object, limit: int) -> None:
        self.loop = ref(loop)
        self.free = limit
        self.least_free = limit
        self.waiters: deque[anyio.Event] = deque()

    def entered(self) -> bool:
        """Take a place if one is free. Free places and waiters never exist together."""
        if not self.free:
            return False
        self.free -= 1
        self.least_free = min(self.least_free, self.free)
        return True

    async def turn(self) -> None:
        """Wait for a place, in turn."""
        turn = anyio.Event()
        self.waiters.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.leave()
            else:
                self.waiters.remove(turn)
            raise

    def leave(self) -> None:
        """Give the place to whoever has waited longest, else back."""
        if self.waiters:
            self.waiters.popleft().set()
        else:
            self.free += 1
