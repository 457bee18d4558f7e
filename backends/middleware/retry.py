"""Retry: tries again what may succeed later, within the deadline, and nowhere else in the house."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Any

import anyio

from callboard.ambient.deadline import time_left
from callboard.backends.attempt import current_attempt, set_current_attempt
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import BackendError
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request
from callboard.backends.retry_decision import RetryDecision, RetryLimits, decide_retry


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryEvent:
    """An attempt has failed, and another one follows."""

    error: BackendError
    attempt: int
    """The number of the attempt that failed, from 1."""
    delay: float
    """Seconds until the next one."""
    request: Request[Any]


class Retry(Wrapper):
    """Tries again what may succeed later: errors whose `retryable` is true.

    A call is sent at most `1 + max_retries` times, whatever happens. Nothing is tried again once a
    piece of the answer has reached the sink, nor when the wait would outlast the deadline: the last
    error is then raised at once. An error raised after several attempts, or where one more was
    refused, says so in a note. Inside an attempt, `callboard.backends.attempt.current_attempt()`
    tells its number.

    Args:
        max_retries: Attempts after the first.
        base: Seconds; the wait before retry n is drawn from [0, min(cap, base * 2**(n - 1))].
        cap: Seconds that no such wait exceeds; a server's Retry-After comes on top.
        max_retry_after: Seconds of Retry-After beyond which the error is raised instead.
        random: Draws the waits; give a seeded one to make them reproducible. The system's entropy
            when None, so that forked and unpickled copies don't wait in step.
        on_retry: Called before each wait.

    Raises:
        ValueError: If a number is negative.
    """

    def __init__(
        self,
        max_retries: int = 2,
        *,
        base: float = 0.5,
        cap: float = 8.0,
        max_retry_after: float = 60.0,
        random: Random | None = None,
        on_retry: Callable[[RetryEvent], None] | None = None,
    ) -> None:
        self.limits = RetryLimits(
            max_retries=max_retries, base=base, cap=cap, max_retry_after=max_retry_after
        )
        self._random = random
        self._on_retry = on_retry

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request in at most `1 + max_retries` attempts.

        Raises:
            BackendError: The last attempt's error.
        """
        watch = None if sink is None else _Watch(sink)
        outer = current_attempt()
        attempt = 1
        try:
            while True:
                if attempt != current_attempt():
                    set_current_attempt(attempt)
                try:
                    return await call_next(request, watch)
                except BackendError as error:
                    decision = self._decide(error, attempt, watch)
                    if not decision.retry:
                        _note(error, attempt, decision)
                        raise
                    failure = error
                self._report(request, failure, attempt, decision)
                del failure  # a cycle through the traceback would outlive the wait
                await anyio.sleep(decision.delay)
                attempt += 1
        finally:
            if outer != current_attempt():
                set_current_attempt(outer)

    def _decide(self, error: BackendError, attempt: int, watch: "_Watch | None") -> RetryDecision:
        return decide_retry(
            error,
            attempt=attempt,
            delta_seen=watch is not None and watch.seen,
            time_left=time_left(),
            jitter=(self._random or SystemRandom()).random(),
            limits=self.limits,
        )

    def _report(
        self, request: Request[Any], error: BackendError, attempt: int, decision: RetryDecision
    ) -> None:
        if self._on_retry is not None:
            self._on_retry(
                RetryEvent(error=error, attempt=attempt, delay=decision.delay, request=request)
            )


class _Watch:
    """A sink that remembers whether anything went through it."""

    __slots__ = ("_sink", "seen")

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.seen = False

    def __call__(self, delta: Delta) -> Any:
        self.seen = True
        return self._sink(delta)


def _note(error: BackendError, attempt: int, decision: RetryDecision) -> None:
    if attempt == 1 and not decision.reason:
        return
    why = f": {decision.reason}" if decision.reason else ""
    times = "1 attempt" if attempt == 1 else f"{attempt} attempts"
    error.add_note(f"raised after {times}{why}")
