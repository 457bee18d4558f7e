"""The slot of `callboard.runtime.loops` on trio."""

from collections.abc import Callable, Generator
from typing import Any

import trio
from trio.lowlevel import Abort, Task, current_task, reschedule, wait_task_rescheduled

current_time = trio.current_time
pause = trio.lowlevel.cancel_shielded_checkpoint


def current_waker() -> Callable[[Callable[[], None]], object]:
    """Return how to have the running loop call something soon, from anywhere."""
    return trio.lowlevel.current_trio_token().run_sync_soon


class TrioSlot:
    """A place for one value that one trio task waits for."""

    __slots__ = ("_done", "_task", "_value")

    def __init__(self) -> None:
        self._done = False
        self._task: Task | None = None
        self._value: Any = None

    def done(self) -> bool:
        """Return whether it has a value, or its waiter was cancelled."""
        return self._done

    def set_result(self, value: Any, /) -> None:
        """Put the value in and wake the waiter."""
        self._value = value
        self._done = True
        if self._task is not None:
            reschedule(self._task)
            self._task = None

    def __await__(self) -> Generator[Any, Any, Any]:
        if not self._done:
            self._task = current_task()
            yield from wait_task_rescheduled(self._abandon).__await__()  # noqa: ASYNC105  it is
        return self._value

    def _abandon(self, _raise_cancel: Callable[[], Any]) -> Abort:
        self._done = True
        self._task = None
        return Abort.SUCCEEDED
