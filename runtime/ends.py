"""The end of actors: when it begins, what it waits for, and who is told."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from callboard.runtime.actor import Actor
from callboard.runtime.cell import Cell
from callboard.runtime.down import Down, Ending
from callboard.runtime.envelope import current_envelope
from callboard.runtime.farewell import Farewell
from callboard.runtime.inbox import State
from callboard.runtime.kernel import Kernel
from callboard.runtime.loops import Slot
from callboard.runtime.ref import ActorRef
from callboard.runtime.winding_down import drained, interrupt, say_goodbye
from callboard.runtime.workers import Worker


@dataclass(frozen=True, slots=True)
class Task:
    """A job: one step in the life of an actor, which may take its time."""

    work: Callable[[], Coroutine[Any, Any, None]]

    def start(self, worker: Worker) -> Coroutine[Any, Any, None]:
        """Do it."""
        worker.hand_over()
        return self.work()


class Ends:
    """Ends the actors of one runtime, and knows who lives."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.roots: dict[str, Cell] = {}
        """Top-level actors, oldest first."""
        self.abandoned: list[Cell] = []
        """Actors with a handler that ignored its cancellation."""

    async def stop(self, cell: Cell, timeout: float) -> None:
        """End an actor and wait for it, unless the caller is part of what has to end."""
        if not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
        self.end(cell, "stopped", None, timeout)
        if not _inside(cell):
            await self.wait_end(cell)

    def end(
        self,
        cell: Cell,
        reason: Ending,
        error: BaseException | None,
        timeout: float,
        *,
        killed: bool = False,
    ) -> None:
        """Begin to end an actor, or make an end that has begun come sooner."""
        deadline = self._kernel.time() + timeout
        if cell.farewell is not None:
            cell.farewell.deadline = min(deadline, cell.farewell.deadline)
            if not timeout and cell.state is State.DRAINING:
                cell.state = State.CLOSING
            cell.settled()
            return
        cell.farewell = Farewell(reason=reason, error=error, deadline=deadline, killed=killed)
        before, cell.state = cell.state, State.CLOSING
        if before is State.STARTING or cell.scope is not None:
            # Whoever starts it notices, and closes it instead.
            if cell.scope is not None:
                cell.scope.cancel()
        elif _is_bare(cell):
            self.finish(cell)
        else:
            if timeout and before is State.RUNNING:
                cell.state = State.DRAINING
            self.enqueue(lambda: self.close(cell))

    def end_for(self, cell: Cell, timeout: float) -> None:
        """Begin to end an actor because another one, or the runtime, ends it."""
        killed = cell.terms.shutdown == "kill"
        self.end(cell, "stopped", None, timeout, killed=killed)

    async def stop_all(self, timeout: float) -> None:
        """End all actors, the youngest first, and wait for all but the caller's own."""
        deadline = self._kernel.time() + timeout
        for cell in reversed(tuple(self.roots.values())):
            left = max(0.0, deadline - self._kernel.time())
            self.end_for(cell, cell.terms.patience(left))
            if not _inside(cell):
                await self.wait_end(cell)

    def watch(self, watcher: Cell, watched: Cell) -> None:
        """Deliver a Down to the watcher when the watched ends, now if it has."""
        if watched.alive:
            _watchers(watched)[watcher] = None
        else:
            watcher.deliver_down(self._kernel.control(_down(watched), watcher), watched)

    async def wait_down(self, watched: Cell) -> Down:
        """Wait for the end of an actor."""
        if watched.alive:
            slot = self._kernel.make_slot()
            _watchers(watched)[slot] = None
            try:
                await slot
            finally:
                _watchers(watched).pop(slot, None)
        return _down(watched)

    def siblings(self, parent: Cell | None) -> dict[str, Cell]:
        """Return the living children of an actor (None: the top-level actors), oldest first."""
        if parent is None:
            return self.roots
        if parent.children is None:
            parent.children = {}
        return parent.children

    async def wait_end(self, cell: Cell) -> None:
        """Wait for an end that has begun."""
        if cell.alive and cell.farewell is not None:
            slot = self._kernel.make_slot()
            cell.farewell.waiters.append(slot)
            await slot

    async def close(self, cell: Cell) -> None:
        """End an actor in good order."""
        farewell = cell.farewell
        assert farewell is not None, "an end begins in `end`"  # noqa: S101  an invariant
        try:
            if cell.state is State.DRAINING and cell.actor is not None:
                await drained(cell, lambda: farewell.deadline)
            cell.state = State.CLOSING
            if not await interrupt(cell, "stopped"):
                self.abandoned.append(cell)
            await self.end_children(cell, max(0.0, farewell.deadline - self._kernel.time()))
            if not farewell.killed:
                await say_goodbye(cell)
        finally:
            self.finish(cell)

    async def end_children(self, cell: Cell, allowed: float) -> None:
        """End the children of an actor that ends, the youngest first.

        Args:
            cell: The actor.
            allowed: Seconds for what is queued, in all.
        """
        deadline = self._kernel.time() + allowed
        for child in reversed(tuple((cell.children or {}).values())):
            left = max(0.0, deadline - self._kernel.time())
            self.end_for(child, child.terms.patience(left))
            await self.wait_end(child)

    async def dismiss_children(self, cell: Cell) -> None:
        """End the children of an actor that restarts, the youngest first."""
        for child in reversed(tuple((cell.children or {}).values())):
            self.end_for(child, child.terms.last_chance)
            await self.wait_end(child)

    def finish(self, cell: Cell) -> None:
        """Take the last step of an end: nothing of the actor runs any more."""
        cell.state = State.STOPPED
        cell.actor = None
        for envelope in cell.mailbox.flush():
            cell.bury(envelope, envelope.fate or "stopped")
        self.siblings(cell.parent).pop(cell.name, None)
        self._kernel.subscriptions.forget(cell)
        watchers, cell.watchers = cell.watchers, None
        for watcher in watchers or ():
            if not isinstance(watcher, Cell):
                if not watcher.done():
                    watcher.set_result(None)
            else:
                watcher.deliver_down(self._kernel.control(_down(cell), watcher), cell)
        if cell.farewell is not None:
            for slot in cell.farewell.waiters:
                if not slot.done():
                    slot.set_result(None)

    def enqueue(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Let a worker do something."""
        self._kernel.workers.enqueue(Task(work))


def _down(cell: Cell) -> Down:
    farewell = cell.farewell
    if farewell is None:
        return Down(ActorRef(cell), "stopped")
    return Down(ActorRef(cell), farewell.reason, farewell.error)


def _watchers(cell: Cell) -> dict[Cell | Slot, None]:
    if cell.watchers is None:
        cell.watchers = {}
    return cell.watchers


def _inside(cell: Cell) -> bool:
    """Return whether the caller runs in a handler of the cell or of one of its descendants."""
    envelope = current_envelope.get()
    own: Any = None if envelope is None else envelope.recipient
    while own is not None:
        if own is cell:
            return True
        own = own.parent
    return False


def _is_bare(cell: Cell) -> bool:
    """Return whether the cell can end at once: nothing queued, running, below it or to be said."""
    idle = not cell.scheduled and not cell.active and not cell.children
    actor = cell.actor
    return idle and (actor is None or type(actor).on_stop is Actor.on_stop)
