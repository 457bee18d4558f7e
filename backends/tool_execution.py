"""Runs one tool call: in the loop or in a thread, bounded in time and in the size of its result.

Whatever a tool does becomes words for the model. What ends the whole call instead is the deadline
around it, and cancellation.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from anyio.lowlevel import RunVar
from pydantic_core import PydanticSerializationError, to_json

from callboard.ambient.deadline import hand_over_deadline, time_left
from callboard.ambient.redaction import redact
from callboard.backends.errors import BackendTimeoutError
from callboard.backends.messages import ToolCall
from callboard.backends.signature import innermost_function
from callboard.backends.tool import Tool
from callboard.backends.tool_turn import bad_arguments, unknown_tool


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """What became of one tool call."""

    text: str
    """What the model is told."""
    error: BaseException | None = None
    """What the tool raised, or what kept it from being called."""
    fatal: BackendTimeoutError | None = None
    """What ends the whole call: its deadline passed while the tool ran."""


class ToolExecution:
    """How tool calls are run; safe to use concurrently, and from several event loops.

    Args:
        timeout: Seconds for one call, where the tool names none; None for no limit.
        max_output: Characters of a result that the model gets to see.
        max_threads: Sync tools that run at the same time, in each event loop.
    """

    def __init__(self, *, timeout: float | None, max_output: int, max_threads: int) -> None:
        self.timeout = timeout
        self.max_output = max_output
        self.max_threads = max_threads
        self._limiter: RunVar[anyio.CapacityLimiter] = RunVar("callboard_tool_threads")

    async def run(self, call: ToolCall, tools: Mapping[str, Tool], *, cut_off: bool) -> ToolOutcome:
        """Run one call. Nothing but cancellation is raised.

        Args:
            call: What the model wants.
            tools: What there is, by name.
            cut_off: Whether the token limit ended the model's turn.
        """
        tool = tools.get(call.name)
        if tool is None or tool.function is None:
            return _failed(LookupError(call.name), unknown_tool(call.name, tools))
        takes_nothing = not tool.parameters.get("properties")
        reading = tool.arguments.read(call.arguments, tool.function, empty=takes_nothing)
        if reading.problems:
            words = bad_arguments(call.name, reading.problems, cut_off=cut_off)
            return _failed(ValueError("; ".join(reading.problems)), words)
        return await self._bounded(tool, partial(tool.function, *reading.args, **reading.kwargs))

    async def _bounded(self, tool: Tool, action: partial[Any]) -> ToolOutcome:
        timeout = self.timeout if tool.timeout is None else tool.timeout
        timeout = math.inf if timeout is None else timeout
        left = time_left()
        seconds = min(timeout, left)
        if seconds == math.inf:
            return await self._attempted(tool, action, seconds)
        with anyio.move_on_after(seconds):
            return await self._attempted(tool, action, seconds)
        if left <= timeout:
            raise_later = BackendTimeoutError(
                f"the deadline passed while the tool {tool.name!r} ran: allow the call more time, "
                "or give the tool a shorter timeout of its own"
            )
            return ToolOutcome(text="", error=raise_later, fatal=raise_later)
        words = f"error: {tool.name!r} was stopped because it took longer than {timeout:g} seconds"
        return _failed(TimeoutError(words), words)

    async def _attempted(self, tool: Tool, action: partial[Any], seconds: float) -> ToolOutcome:
        try:
            value = await self._called(action, seconds)
            return ToolOutcome(text=self._shortened(_text(value)))
        except Exception as error:  # noqa: BLE001 - the model is told, and may do better
            kind, words = type(error).__name__, redact(str(error))
            return _failed(error, self._shortened(f"error: {tool.name!r} failed: {kind}: {words}"))

    async def _called(self, action: partial[Any], seconds: float) -> Any:
        if _is_async(action):
            return await action()
        context = copy_context()
        # The deadline is a time on this event loop's clock. A thread may start a loop of its own,
        # whose clock says something else, so it gets seconds; for instance `Agent.run_sync` obeys.
        context.run(hand_over_deadline, seconds)

        def in_thread() -> list[Any]:
            # In a list, because trio takes no coroutine as a thread's result.
            return [context.run(action)]

        [value] = await anyio.to_thread.run_sync(
            in_thread, abandon_on_cancel=True, limiter=self._threads()
        )
        return await value if inspect.isawaitable(value) else value

    def _threads(self) -> anyio.CapacityLimiter:
        limiter = self._limiter.get(None)
        if limiter is None:
            limiter = anyio.CapacityLimiter(self.max_threads)
            self._limiter.set(limiter)
        return limiter

    def _shortened(self, text: str) -> str:
        if len(text) <= self.max_output:
            return text
        return (
            f"{text[: self.max_output]}\n[cut off: these are the first {self.max_output} of "
            f"{len(text)} characters]"
        )


def _failed(error: BaseException, words: str) -> ToolOutcome:
    return ToolOutcome(text=words, error=error)


def _is_async(function: Callable[..., Any]) -> bool:
    inner = innermost_function(function)
    return inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(
        inner.__class__.__call__
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return to_json(value).decode()
    except PydanticSerializationError as error:
        raise TypeError(
            f"its result, of type {type(value).__name__}, can't be written as JSON"
        ) from error
