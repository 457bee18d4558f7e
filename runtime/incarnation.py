"""Incarnations: making an instance of an actor, and running its hooks as the actor itself."""

import math
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

from callboard.runtime.actor import Actor
from callboard.runtime.cell import Cell
from callboard.runtime.drive import drive
from callboard.runtime.envelope import Envelope, current_envelope
from callboard.runtime.logs import log_failure


def incarnate(cell: Cell) -> Actor:
    """Make the instance that handles the cell's messages from now on.

    A class has its context from the first line of its constructor on; what another factory makes
    has it afterwards.

    Raises:
        TypeError: If the factory returns something other than an Actor.
    """
    factory: Any = cell.factory
    if isinstance(factory, type) and issubclass(factory, Actor):
        actor = factory.__new__(factory, *cell.args)
        actor.settle_in(cell)
        factory.__init__(actor, *cell.args)
    else:
        actor = factory(*cell.args)
        if not isinstance(actor, Actor):
            raise TypeError(f"spawn needs an Actor class or a factory of one, got {actor!r}")
        actor.settle_in(cell)
    saved, cell.saved = cell.saved, None
    if saved is not None:
        actor.restore(saved)
    cell.actor = actor
    cell.table = actor.__handlers__
    return actor


def take_snapshot(cell: Cell) -> None:
    """Keep what the incarnation wants its successor to know."""
    if cell.actor is None:
        return
    try:
        cell.saved = cell.actor.snapshot()
    except Exception as error:  # noqa: BLE001  the next incarnation starts without
        log_failure(cell.address, "snapshot failed", error)


async def run_hook(cell: Cell, hook: Coroutine[Any, Any, None], context: Context) -> None:
    """Run a hook of an actor so that what it sends comes from the actor.

    Whoever's handler waits for the hook (it spawns the actor, say) is known to wait for it.
    """
    envelope = Envelope(None, cell, "hook", None, None, math.inf, context)
    waiter = current_envelope.get()
    if waiter is not None:
        waiter.wait_for(envelope)
    context.run(current_envelope.set, envelope)
    before, cell.current = cell.current, envelope
    try:
        await drive(context, hook)
    finally:
        cell.current = before
        if waiter is not None:
            waiter.wait_over(envelope)
