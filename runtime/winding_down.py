"""Winding down: bringing the handlers of an actor to an end, and letting it say goodbye."""

from collections.abc import Callable, Iterable

import anyio

from callboard.runtime.actor import Actor
from callboard.runtime.cell import Cell
from callboard.runtime.envelope import Envelope, Fate
from callboard.runtime.incarnation import run_hook
from callboard.runtime.logs import actor_logger, log_failure
from callboard.runtime.whereabouts import waiting_place

GRACE = 5.0
"""Seconds that cancelled handlers, and `on_stop`, have to come to an end."""


async def interrupt(cell: Cell, fate: Fate) -> bool:
    """Cancel the handlers of an actor and wait until they have ended.

    Returns:
        Whether they have; False if one ignores its cancellation for too long.
    """
    for envelope in _handled_by(cell):
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


async def report_lingering(abandoned: Iterable[Cell]) -> None:
    """Say, now and then, which handlers keep a runtime that has ended from being left.

    A task can't be left behind: whoever started it waits for it. What can be done about a handler
    that ignores its cancellation is to name it.
    """
    for cell in abandoned:
        while cell.active:
            _report_lingering(cell)
            await let_finish(cell, GRACE)


def _report_lingering(cell: Cell) -> None:
    for envelope in _handled_by(cell):
        actor_logger(cell.address).error(
            "runtime waits for a handler that ignores its cancellation",
            message=envelope.type_name,
            at=waiting_place(getattr(envelope, "coroutine", None)),
        )


def _handled_by(cell: Cell) -> tuple[Envelope, ...]:
    current = () if cell.current is None else (cell.current,)
    return (*current, *(cell.reentrants or ()))
