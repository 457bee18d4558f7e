"""One heap of deadlines for a whole runtime, purged lazily, and the task that watches it."""

import heapq
import math
from itertools import count
from typing import Protocol

import anyio

from callboard.runtime.loops import Loop

_LEAST_PURGE = 64


class Timed(Protocol):
    """Something that happens when a time has come."""

    def expire(self) -> None:
        """The time has come. Must not raise."""
        ...


class Settled(Protocol):
    """Knows whether a time still matters."""

    def done(self) -> bool:
        """Return whether it does not."""
        ...


class Timers:
    """Deadlines of asks, waits for room and scheduled messages.

    Almost every deadline is met, so one costs a push and nothing else: entries that are done stay
    in the heap until it has doubled, and then leave together.
    """

    def __init__(self, loop: Loop) -> None:
        self._time = loop.time
        self._heap: list[tuple[float, int, Settled, Timed]] = []
        self._order = count()
        self._purge_at = _LEAST_PURGE
        self._armed = math.inf
        self._scope: anyio.CancelScope | None = None
        self._closed = False

    def add(self, deadline: float, settled: Settled, timed: Timed) -> None:
        """Let something expire at an absolute time, unless it is settled by then."""
        heap = self._heap
        heapq.heappush(heap, (deadline, next(self._order), settled, timed))
        if deadline < self._armed:
            self._arm(deadline)
        if len(heap) >= self._purge_at:
            self._purge()

    async def run(self) -> None:
        """Expire what is due, until closed."""
        while not self._closed:
            with anyio.CancelScope(deadline=self._armed, shield=True) as self._scope:
                await anyio.sleep_forever()
            self._expire_due()

    def close(self) -> None:
        """Expire nothing any more."""
        self._closed = True
        if self._scope is not None:
            self._scope.cancel()

    def _arm(self, deadline: float) -> None:
        self._armed = deadline
        if self._scope is not None:
            self._scope.deadline = deadline

    def _expire_due(self) -> None:
        heap, now = self._heap, self._time()
        while heap and (heap[0][0] <= now or heap[0][2].done()):
            _, _, settled, timed = heapq.heappop(heap)
            if not settled.done():
                timed.expire()
        self._armed = heap[0][0] if heap else math.inf

    def _purge(self) -> None:
        self._heap[:] = [entry for entry in self._heap if not entry[2].done()]
        heapq.heapify(self._heap)
        self._purge_at = max(_LEAST_PURGE, 2 * len(self._heap))
