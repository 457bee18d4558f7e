"""Which event loop runs here, and tasks that belong to it alone: the seam to asyncio and trio."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

import anyio


def running_loop() -> object:
    """Return what stands for the running event loop: the same object for as long as it runs.

    Raises:
        RuntimeError: If no event loop runs in this thread.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        if (trio := sys.modules.get("trio")) is None:
            raise
        return trio.lowlevel.current_trio_token()


class DetachedTask:
    """A task outside every cancel scope of the one who starts it, who must stop it in the end.

    Task groups are the better tool wherever the block that opens them is certain to be closed by
    the same task. A block inside an async generator is not: when its reader goes away, Python
    closes the generator from wherever it likes, and a task group can't be left from there.

    Args:
        function: Runs in a copy of the present context. Its exceptions are its own to handle.
    """

    def __init__(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._function = function
        self._scope = anyio.CancelScope()
        self._done = anyio.Event()
        self._task = self._start()

    async def stop(self) -> None:
        """Cancel it, and wait until it has ended; from any task, and more than once if you like."""
        if self._done.is_set():
            return
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._done.wait()

    def _start(self) -> object:
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_run():
            return trio.lowlevel.spawn_system_task(self._run, context=copy_context())
        task = asyncio.get_running_loop().create_task(self._run())
        task.add_done_callback(lambda _: self._done.set())
        return task

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._function()
        finally:
            self._done.set()
