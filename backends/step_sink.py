"""StepSink: counts the steps of one `generate` on, over the several calls that it makes inside."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace

from callboard.backends.delta import Delta, Sink
from callboard.backends.messages import ToolCall


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

    async def tell_results(self, calls: Sequence[ToolCall], results: Sequence[str]) -> None:
        """Pass on the results of a step's tool calls, as part of that step.

        Args:
            calls: The step's tool calls.
            results: What each brought, in the same order.
        """
        for index, (call, text) in enumerate(zip(calls, results, strict=True)):
            result = Delta(
                kind="tool_result",
                text=text,
                step=self._last,
                index=index,
                call_id=call.id,
                name=call.name,
            )
            await self._sink(result)

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
