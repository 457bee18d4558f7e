"""Runs a coroutine function for code that is not async, in a thread and a loop of its own."""

import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, wait
from typing import TypeVar

import anyio
from anyio.from_thread import run_sync as run_in_owning_loop
from anyio.from_thread import start_blocking_portal

from callboard.ambient.deadline import (
    ambient_deadline,
    hand_over_deadline,
    handed_over_time_left,
    set_ambient_deadline,
    time_left,
)

R = TypeVar("R")

LOOK_UP = 0.2
"""Seconds after which a waiting thread looks whether it was interrupted."""


def run_in_portal(call: Callable[[], Awaitable[R]]) -> R:
    """Run to the end what `call` starts, in a thread and an asyncio loop of its own.

    Works in a plain script, in a worker thread, and where a loop is running already, which stands
    still meanwhile. Context variables cross over, and so does the time left of the ambient
    deadline: never its absolute value, since clocks differ between loops. An interrupt of the
    calling thread (Ctrl-C) cancels the call and waits for its clean-up.

    Args:
        call: Called inside the new loop.
    """
    left = seconds_left()
    with start_blocking_portal("asyncio") as portal:
        return result_of(portal.start_task_soon(_bounded, call, left))


def result_of(future: Future[R]) -> R:
    """Wait for a future's result and stay open to Ctrl-C.

    A thread that waits for a lock does not always learn of a signal before the lock is free (never
    on Windows, and on Linux not if it arrives as the wait begins), so it looks up now and then.

    Args:
        future: What another thread is about to fulfil.
    """
    while not wait((future,), timeout=LOOK_UP).done:
        pass
    return future.result()


async def _bounded(call: Callable[[], Awaitable[R]], left: float) -> R:
    hand_over_deadline(math.inf)  # It has arrived.
    set_ambient_deadline(anyio.current_time() + left)
    return await call()


def seconds_left() -> float:
    """Return the seconds left of the ambient deadline, also from a worker thread."""
    return min(handed_over_time_left(), _ambient_seconds_left())


def _ambient_seconds_left() -> float:
    try:
        return time_left()
    except RuntimeError:  # No loop in this thread: a worker, which inherited its caller's context.
        pass
    try:
        return run_in_owning_loop(time_left)
    except RuntimeError:  # Not one of anyio's workers; asyncio's clock is the monotonic one.
        return max(0.0, ambient_deadline() - time.monotonic())
