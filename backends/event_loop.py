"""Names the event loop that is running: connections belong to one, and must not meet another."""

import asyncio
import sys


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
