"""Winding down: bringing the handlers of an actor to an end, and letting it say goodbye."""

from collections.abc import Callable
from itertools import chain

import anyio

from callboard.runtime.actor import Actor
from callboard.runtime.cell import Cell
from callboard.runtime.envelope import Fate
from callboard.runtime.incarnation import run_hook
from callboard.runtime.logs import actor_logger, log_failure

GRACE = 5.0
"""Seconds that cancelled handlers, and `on_stop`, have to come to an end."""


async def interrupt(cell: Cell, fate: Fate) -> bool:
    """Cancel the handlers of an actor and wait until they have ended.

    Returns:
        Whether they have; False if one ignores its cancellation for too long.
    """
    current = () if cell.current is None else (cell.current,)
    for envelope in tuple(chain(current, cell.reentrants or ())):
        if envelope.fate is None:
            envelope.fate = fate
        envelope.cancel()
    latest = cell.kernel.time() + GRACE
    ended = await until(cell, lambda: not cell.active, lambda: latest)
    if not ended:
        actor_logger(cell.address).error("handler ignores its cancellation", waited=GRACE)
    return ended


async def let_finish(cell: Cell, timeout: float) -> None:
    """Give the handlers of an actor that is about to restart some time to end by themselves."""
    if timeout:
        latest = cell.kernel.time() + timeout
        await until(cell, lambda: not cell.active, lambda: latest)


async def drained(cell: Cell, deadline: Callable[[], float]) -> bool:
    """Wait until an actor has handled all that was queued; return whether it has in time."""
    return await until(cell, lambda: not cell.active and not len(cell.mailbox), deadline)


async def until(cell: Cell, condition: Callable[[], bool], deadline: Callable[[], float]) -> bool:
    """Wait until a condition on the handlers of a cell holds.

    Args:
        cell: Whose handlers; it tells whenever one ends.
        condition: What to wait for.
        deadline: Until when; asked again each time, because stops may bring it forward.

    Returns:
        Whether the condition holds.
    """
    while not condition():
        if cell.kernel.time() >= deadline():
            return False
        cell.quiet = cell.kernel.make_slot()
        with anyio.CancelScope(deadline=deadline()):
            await cell.quiet
    return True


async def say_goodbye(cell: Cell) -> None:
    """Run `on_stop`, for a while; what goes wrong there is logged and changes nothing."""
    actor = cell.actor
    if actor is None or type(actor).on_stop is Actor.on_stop:
        return
    try:
        with anyio.fail_after(GRACE):
            await run_hook(cell, actor.on_stop(), cell.kernel.context.copy())
    except Exception as error:  # noqa: BLE001  an end is not undone by its last words
        log_failure(cell.address, "on_stop failed", error)
