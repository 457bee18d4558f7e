"""The ambient deadline: one absolute time that bounds everything done on behalf of one caller.

Actors and backends never import each other, yet a model call inside a handler must not outlive the
ask that caused it. Both therefore read the same context variable, which lives here, a floor below.

The value is absolute, on the clock of `anyio.current_time()`. It has a meaning in one event loop
only: whoever crosses a thread, a loop or a process hands over `time_left()` and starts afresh there
(trio's clock has an arbitrary offset). In a thread, where there is no loop, what was handed over
waits for the next loop that is started on the same caller's behalf.
"""

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import anyio

_deadline: ContextVar[float] = ContextVar("callboard_deadline", default=math.inf)

_handed_over: ContextVar[float] = ContextVar("callboard_handed_over", default=math.inf)
"""A deadline that crossed into a thread, on the clock of `time.monotonic()`."""


def ambient_deadline() -> float:
    """Return the absolute deadline around the current task, `math.inf` when there is none."""
    return _deadline.get()


def set_ambient_deadline(deadline: float) -> None:
    """Set the deadline of the current context, for code that owns its context (a task, a handler).

    Args:
        deadline: Absolute, on the clock of `anyio.current_time()`; `math.inf` for none.
    """
    _deadline.set(deadline)


def bounded_deadline(timeout: float | None) -> float:
    """Turn a timeout into a deadline that never lies beyond the ambient one.

    Args:
        timeout: Seconds from now; None means as long as the ambient deadline allows.

    Raises:
        ValueError: If the timeout is negative or not a number.
    """
    if timeout is None:
        return _deadline.get()
    if not timeout >= 0:
        raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
    return min(anyio.current_time() + timeout, _deadline.get())


def time_left() -> float:
    """Return the seconds left until the ambient deadline: never negative, inf without one."""
    deadline = _deadline.get()
    return deadline if deadline == math.inf else max(0.0, deadline - anyio.current_time())


def hand_over_deadline(timeout: float) -> None:
    """Turn the deadline of the current context, in a thread, into seconds for whoever asks there.

    Args:
        timeout: Seconds from now; `math.inf` for no limit.
    """
    _deadline.set(math.inf)
    _handed_over.set(time.monotonic() + timeout)


def handed_over_time_left() -> float:
    """Return the seconds left of what was handed over to this thread; inf if nothing was."""
    return max(0.0, _handed_over.get() - time.monotonic())


@contextmanager
def deadline_scope(deadline: float) -> Generator[float]:
    """Narrow the ambient deadline inside the block; a later one than the present has no effect.

    Nothing is cancelled by it: it is what asks and model calls started inside are clamped to.

    Args:
        deadline: Absolute, on the clock of `anyio.current_time()`.

    Yields:
        The deadline now in force.
    """
    effective = min(deadline, _deadline.get())
    token = _deadline.set(effective)
    try:
        yield effective
    finally:
        _deadline.reset(token)
