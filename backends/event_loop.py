"""Names the event loop that is running: connections belong to one, and must not meet another."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any


def running_loop() -> object:
    """Return the running loop: asyncio's loop, or trio's token; hashable, and weakly referable.

    Raises:
        RuntimeError: If none is running.
    """
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_trio_token()
    return asyncio.get_running_loop()


def is_trio(loop: object) -> bool:
    """Tell trio's token from asyncio's loops."""
    return not isinstance(loop, asyncio.AbstractEventLoop)


def close_in_trio(token: Any, generator: AsyncGenerator[None]) -> None:
    """Close an async generator in the trio run that it belongs to, if that is still running.

    Args:
        token: The run's token, as `running_loop` returned it there.
        generator: What to close.
    """
    trio: Any = sys.modules["trio"]
    try:
        token.run_sync_soon(trio.lowlevel.spawn_system_task, generator.aclose)
    except trio.RunFinishedError:
        return
