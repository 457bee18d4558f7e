"""DetachedTask: a task outside every cancel scope of the one who starts it.

Task groups are the better tool wherever the block that opens them is certain to be left by the task
that entered it. A block inside an async generator is not: see `callboard.backends.streaming`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import anyio

from callboard.backends.event_loop import is_trio, running_loop


class DetachedTask:
    """Runs a function until it returns or is stopped. Whoever starts it must stop it in the end.

    Args:
        function: Runs in a copy of the present context. Its exceptions are its own to handle.
    """

    def __init__(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._function = function
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        self._task = self._start()  # kept, since asyncio itself keeps no task alive

    async def stop(self) -> None:
        """Cancel it, and wait until it has ended; from any task, and as often as you like."""
        if self._ended.is_set():
            return
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._ended.wait()

    def _start(self) -> object:
        if is_trio(running_loop()):
            import trio  # noqa: PLC0415 - an extra, and here it is running

            return trio.lowlevel.spawn_system_task(self._run, context=copy_context())
        task = asyncio.get_running_loop().create_task(self._run())
        # Not at the end of `_run`: a task that is cancelled before its first step never gets there.
        task.add_done_callback(lambda _: self._ended.set())
        return task

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._function()
        finally:
            self._ended.set()
