"""Timeout: bounds one attempt, and the silences in a streamed one."""

import math
from collections.abc import Generator
from typing import Any, Literal, TypeAlias

import anyio

from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import BackendTimeoutError
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request

Limit: TypeAlias = Literal["attempt", "first_delta", "between_deltas"]

SLACK = 1 / 16
"""How much later than asked a streamed attempt may be ended, as a share of its shortest timeout.

Moving a timer costs as much as parsing a delta; with this much room it moves rarely.
"""


class Timeout(Wrapper):
    """Bounds each attempt; the error is retryable, since another attempt may be faster.

    Time that a sink takes never counts, so a slow reader is no slow server. With a sink a timeout
    may come late by a sixteenth of the shortest one given; it never comes early.

    Args:
        attempt: Seconds for one attempt, from its start to its completion.
        first_delta: Seconds until the first piece of a streamed answer; only for calls with a sink.
        between_deltas: Seconds from one piece to the next, or to the end; only with a sink.

    Raises:
        ValueError: If a timeout is negative or not a number.
    """

    def __init__(
        self,
        attempt: float | None = 300.0,
        *,
        first_delta: float | None = None,
        between_deltas: float | None = None,
    ) -> None:
        self.attempt = _seconds("attempt", attempt)
        """Seconds for one attempt, `math.inf` for any."""
        self.first_delta = _seconds("first_delta", first_delta)
        """Seconds until the first delta, `math.inf` for any."""
        self.between_deltas = _seconds("between_deltas", between_deltas)
        """Seconds between deltas, `math.inf` for any."""

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, or give it up.

        Raises:
            BackendTimeoutError: The attempt took too long; retryable.
        """
        if sink is not None:
            return await self._streamed(request, sink, call_next)
        if self.attempt == math.inf:
            return await call_next(request, None)
        with anyio.CancelScope(deadline=anyio.current_time() + self.attempt):
            return await call_next(request, None)
        raise self._error("attempt")

    async def _streamed(
        self, request: Request[Any], sink: Sink, call_next: Generate
    ) -> Completion[Any]:
        shortest = min(self.attempt, self.first_delta, self.between_deltas)
        if shortest == math.inf:
            return await call_next(request, sink)
        scope = anyio.CancelScope()
        clock = _Clock(scope, self, sink, slack=shortest * SLACK)
        with scope:
            return await call_next(request, clock)
        raise self._error(clock.limit)

    def _error(self, limit: Limit) -> BackendTimeoutError:
        seconds = getattr(self, limit)
        happened = {
            "attempt": "the attempt was not finished",
            "first_delta": "nothing of the answer arrived",
            "between_deltas": "the answer stopped in the middle, and nothing more arrived",
        }[limit]
        return BackendTimeoutError(
            f"{happened} within {seconds:g} s: raise Timeout({limit}={seconds:g}) if the model "
            "needs longer",
            retryable=True,
        )


class _Clock:
    """The sink of one attempt: moves the scope's deadline along, and stops it inside the sink."""

    __slots__ = ("_attempt_ends", "_between", "_scope", "_sink", "_slack", "limit")

    def __init__(
        self, scope: anyio.CancelScope, timeout: Timeout, sink: Sink, *, slack: float
    ) -> None:
        now = anyio.current_time()
        self.limit: Limit = "attempt" if timeout.attempt <= timeout.first_delta else "first_delta"
        self._attempt_ends = now + timeout.attempt
        self._between = timeout.between_deltas
        self._scope = scope
        self._sink = sink
        self._slack = slack
        scope.deadline = now + min(timeout.attempt, timeout.first_delta)

    async def __call__(self, delta: Delta) -> None:
        entered = anyio.current_time()
        try:
            await _Steps(self._sink(delta).__await__(), self._scope)
        finally:
            now = anyio.current_time()
            self._attempt_ends += now - entered
            self._move(now)

    def _move(self, now: float) -> None:
        silent_until = now + self._between
        if silent_until < self._attempt_ends:
            self.limit, due = "between_deltas", silent_until
        else:
            self.limit, due = "attempt", self._attempt_ends
        if not due <= self._scope.deadline <= due + self._slack:
            self._scope.deadline = due + self._slack


class _Steps:
    """Awaits a sink, and stops the scope's clock only if the sink really waits: most never do."""

    __slots__ = ("_scope", "_steps")

    def __init__(self, steps: Generator[Any, Any, None], scope: anyio.CancelScope) -> None:
        self._steps = steps
        self._scope = scope

    def __await__(self) -> Generator[Any, Any, None]:
        try:
            wish = next(self._steps)
        except StopIteration:
            return
        self._scope.deadline = math.inf
        yield from _resumed(wish, self._steps)


def _resumed(wish: Any, steps: Generator[Any, Any, None]) -> Generator[Any, Any, None]:
    """Go on with a generator that has been started: `yield from`, with the first wish in hand."""
    while True:
        try:
            try:
                answer = yield wish
            except GeneratorExit:
                steps.close()
                raise
            except BaseException as error:  # noqa: BLE001 - a cancellation: the sink's to handle
                wish = steps.throw(error)
            else:
                wish = steps.send(answer)
        except StopIteration:
            return


def _seconds(name: str, timeout: float | None) -> float:
    if timeout is None:
        return math.inf
    if not timeout >= 0:
        raise ValueError(f"{name} must be a number of seconds >= 0, got {timeout!r}")
    return timeout
