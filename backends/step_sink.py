"""StepSink: counts the steps of one `generate` on, over the several calls that it makes inside."""

from collections.abc import Awaitable
from dataclasses import replace

from callboard.backends.delta import Delta, Sink


class StepSink:
    """A sink for a middleware that calls on more than once: each call's steps follow the last's.

    Args:
        sink: Whoever watches the whole.
    """

    __slots__ = ("_first", "_last", "_sink")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._first = 0
        self._last = 0

    @property
    def step(self) -> int:
        """The step that the latest delta belonged to."""
        return self._last

    def __call__(self, delta: Delta) -> Awaitable[None]:
        """Pass a delta on, its step counted from where this call began."""
        if self._first:
            delta = replace(delta, step=delta.step + self._first)
        self._last = max(self._last, delta.step)
        return self._sink(delta)

    async def begin_step(self) -> None:
        """Announce, before another call, that what it says supersedes what was said."""
        self._last += 1
        self._first = self._last
        await self._sink(Delta(kind="reset", step=self._first))
