"""The life of actors: start, restart and end. `supervision` decides what to do; here it is done."""

from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import anyio

from callboard.runtime.actor import Actor
from callboard.runtime.address import check_name
from callboard.runtime.behaviour import Behaviour
from callboard.runtime.cell import Cell
from callboard.runtime.ends import Ends
from callboard.runtime.errors import ActorStoppedError, NameTakenError
from callboard.runtime.inbox import LAST_OPEN, State
from callboard.runtime.incarnation import incarnate, run_hook
from callboard.runtime.kernel import Kernel
from callboard.runtime.restarts import Restarts
from callboard.runtime.terms import Terms


class Supervisor:
    """Starts, restarts and ends the actors of one runtime."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.ends = Ends(kernel)
        """Who ends, and who lives."""
        self._restarts = Restarts(kernel, self.ends)

    def crashed(self, cell: Cell, error: BaseException) -> None:
        """Supervise a failure."""
        self._restarts.crashed(cell, error)

    def wake(self, cell: Cell) -> None:
        """Let an actor that was put to rest live again."""
        self._restarts.wake(cell)

    async def stop(self, cell: Cell, timeout: float) -> None:
        """End an actor and wait for it, unless the caller is part of what has to end."""
        await self.ends.stop(cell, timeout)

    def watch(self, watcher: Cell, watched: Cell) -> None:
        """Deliver a Down to the watcher when the watched ends, now if it has."""
        self.ends.watch(watcher, watched)

    async def spawn(
        self,
        parent: Cell | None,
        factory: Callable[..., Behaviour],
        args: tuple[Any, ...],
        name: str | None,
        terms: Terms,
    ) -> Cell:
        """Start an actor; what its constructor or `on_start` raises comes out as it is.

        Raises:
            NameTakenError: A living sibling has the name.
            ActorStoppedError: The parent is ending, or the actor was stopped before it started.
        """
        path = self._free_path(parent, name or self._fresh_name(factory))
        cell = Cell(self._kernel, self, parent, path, factory, args, terms)
        self.ends.siblings(parent)[cell.name] = cell
        try:
            actor = incarnate(cell)
            if type(actor).on_start is not Actor.on_start:
                await self._start_hook(cell, actor)
        except BaseException as error:
            await self._abort_start(cell, error)
            raise
        if cell.state is State.STARTING:
            cell.reopen()
            self._restarts.observe_idleness(cell)
        else:
            self.ends.enqueue(lambda: self.ends.close(cell))
        return cell

    def _free_path(self, parent: Cell | None, name: str) -> str:
        path = check_name(name) if parent is None else f"{parent.path}/{check_name(name)}"
        ending = self._kernel.closing if parent is None else parent.state > LAST_OPEN
        if ending:
            raise ActorStoppedError(self._kernel.address(path if parent is None else parent.path))
        if name in self.ends.siblings(parent):
            raise NameTakenError(self._kernel.address(path))
        return path

    def _fresh_name(self, factory: Callable[..., Behaviour]) -> str:
        kind = getattr(factory, "__name__", type(factory).__name__)
        return f"{kind.lower().strip('<>')}-{next(self._kernel.numbers)}"

    async def _start_hook(self, cell: Cell, actor: Actor) -> None:
        with anyio.CancelScope() as cell.scope:
            await run_hook(cell, actor.on_start(), copy_context())
        if cell.scope.cancelled_caught:
            raise ActorStoppedError(cell.address)
        cell.scope = None

    async def _abort_start(self, cell: Cell, error: BaseException) -> None:
        self.ends.end(cell, "failed", error, 0)
        with anyio.CancelScope(shield=True):
            await self.ends.end_children(cell, 0)
        self.ends.finish(cell)
