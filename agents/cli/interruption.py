"""Ends a command's work at Ctrl-C in an orderly way, the same on every event loop."""

import signal
import sys
from collections.abc import Awaitable, Callable

import anyio


async def interruptible(work: Callable[[], Awaitable[None]]) -> bool:
    """Do the work, or cancel it at the first Ctrl-C; a second one ends the process as usual.

    What the work raises comes out as it is.

    Returns:
        Whether it was interrupted.
    """
    if sys.platform == "win32":  # Signals can't be awaited there: KeyboardInterrupt it stays.
        await work()
        return False
    interrupted, failure = False, None
    async with anyio.create_task_group() as group:

        async def listen() -> None:
            nonlocal interrupted
            with anyio.open_signal_receiver(signal.SIGINT) as signals:
                async for _ in signals:
                    break
            interrupted = True
            group.cancel_scope.cancel()

        group.start_soon(listen)
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - raised below, outside of the group
            failure = error
        group.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return interrupted
