"""`anyio.to_thread.run_sync` without threads."""

from collections.abc import Callable
from typing import Any

import anyio
from anyio import to_thread
from anyio._backends._asyncio import AsyncIOBackend
from anyio.lowlevel import checkpoint

from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.substitution import Substitution


def thread_substitutions() -> list[Substitution]:
    """Return the stand-in for anyio's worker threads.

    The one place below `anyio.to_thread.run_sync`: programs that imported that name are covered.
    """
    return [Substitution(owner=AsyncIOBackend, name="run_sync_in_worker_thread", serve=_run_inline)]


async def _run_inline(
    loop: SimulationLoop,
    original: Any,
    func: Callable[..., Any],
    args: tuple[Any, ...],
    abandon_on_cancel: bool = False,
    limiter: anyio.CapacityLimiter | None = None,
) -> Any:
    del original
    await checkpoint()
    async with limiter or to_thread.current_default_thread_limiter():
        with anyio.CancelScope(shield=not abandon_on_cancel):
            return await loop.call_in_thread(func, args)
