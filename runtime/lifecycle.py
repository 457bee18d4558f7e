"""The life of actors: start, restart and end. `supervision` decides what to do; here it is done."""

import random
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

import anyio

from callboard.runtime.actor import Actor
from callboard.runtime.address import check_name
from callboard.runtime.behaviour import Behaviour
from callboard.runtime.cell import Cell
from callboard.runtime.down import Down, Ending
from callboard.runtime.envelope import current_envelope
from callboard.runtime.errors import ActorStoppedError, EscalatedError, NameTakenError
from callboard.runtime.farewell import Farewell
from callboard.runtime.inbox import LAST_OPEN, State
from callboard.runtime.incarnation import incarnate, run_hook
from callboard.runtime.kernel import Kernel
from callboard.runtime.logs import log_failure
from callboard.runtime.loops import Slot
from callboard.runtime.ref import ActorRef
from callboard.runtime.supervision import Decision, decide
from callboard.runtime.terms import Terms
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


class Supervisor:
    """Starts, restarts and ends the actors of one runtime."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.roots: dict[str, Cell] = {}
        """Top-level actors, oldest first."""
        self.abandoned: list[Cell] = []
        """Ended actors with a handler that ignores its cancellation."""

    # Start

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
        self.siblings(parent)[cell.name] = cell
        try:
            actor = incarnate(cell)
            if type(actor).on_start is not Actor.on_start:
                await self._start_hook(cell, actor)
        except BaseException as error:
            await self._abort_start(cell, error)
            raise
        if cell.state is State.STARTING:
            cell.reopen()
        else:
            self._enqueue(lambda: self._close(cell))
        return cell

    def _free_path(self, parent: Cell | None, name: str) -> str:
        path = check_name(name) if parent is None else f"{parent.path}/{check_name(name)}"
        ending = self._kernel.closing if parent is None else parent.state > LAST_OPEN
        if ending:
            raise ActorStoppedError(self._kernel.address(path if parent is None else parent.path))
        if name in self.siblings(parent):
            raise NameTakenError(self._kernel.address(path))
        return path

    def _fresh_name(self, factory: Callable[..., Behaviour]) -> str:
        kind = getattr(factory, "__name__", type(factory).__name__)
        return f"{kind.lower().strip('<>')}-{next(self._kernel.numbers)}"

    async def _start_hook(self, cell: Cell, actor: Actor) -> None:
        with anyio.CancelScope() as cell.restart_scope:
            await run_hook(cell, actor.on_start(), copy_context())
        if cell.restart_scope.cancelled_caught:
            raise ActorStoppedError(cell.address)
        cell.restart_scope = None

    async def _abort_start(self, cell: Cell, error: BaseException) -> None:
        self.end(cell, "failed", error, 0)
        with anyio.CancelScope(shield=True):
            await self._end_children(cell, 0)
        self._finish(cell)

    # Failure

    def crashed(self, cell: Cell, error: BaseException) -> None:
        """Supervise a failure; an actor that restarts or ends anyway only has it logged."""
        if cell.state is not State.RUNNING:
            log_failure(cell.address, "actor failed", error, action="none", state=cell.state.name)
            if cell.state is State.DRAINING:
                self.end(cell, "stopped", None, 0)  # a failed instance handles nothing more
            return
        decision = self._decide(cell)
        log_failure(
            cell.address, "actor failed", error, action=decision.action, delay=decision.delay
        )
        if decision.action != "restart":
            self._give_up(cell, error, decision)
            return
        for touched in self._touched(cell):
            self._begin_restart(touched, error, decision.delay)

    def _touched(self, cell: Cell) -> list[Cell]:
        """Return whom the restart of an actor touches, itself included."""
        family = list(self.siblings(cell.parent).values())
        match cell.terms.supervision.strategy:
            case "one_for_one":
                return [cell]
            case "one_for_all":
                return family
            case "rest_for_one":
                return family[family.index(cell) :]

    def _begin_restart(self, cell: Cell, error: BaseException, delay: float) -> None:
        if cell.state is not State.RUNNING:
            return
        if cell.terms.restart == "temporary":
            self.end(cell, "stopped", None, 0)
            return
        cell.state = State.RESTARTING
        cell.scheduled = True
        self._enqueue(lambda: self._restart(cell, error, delay))

    def _decide(self, cell: Cell) -> Decision:
        terms = cell.terms
        decision = decide(
            restart=terms.restart,
            supervision=terms.supervision,
            failures=cell.failures,
            now=self._kernel.time(),
            chance=random.random(),  # noqa: S311  jitter, not a secret
        )
        cell.failures = decision.failures
        return decision

    def _give_up(self, cell: Cell, error: BaseException, decision: Decision) -> None:
        self.end(cell, "failed", error, 0)
        if decision.action != "escalate":
            return
        period = cell.terms.supervision.period
        escalated = EscalatedError(cell.address, len(decision.failures), period, error)
        if cell.parent is None:
            self._kernel.abort(escalated)
        else:
            self.crashed(cell.parent, escalated)

    async def _restart(self, cell: Cell, error: BaseException, delay: float) -> None:
        with anyio.CancelScope() as scope:
            cell.restart_scope = scope
            if cell.farewell is not None:
                scope.cancel()
            if not await interrupt(cell, "restarted"):
                self.abandoned.append(cell)
            await self._end_children(cell, 0)
            await say_goodbye(cell)
            await self._reincarnate(cell, error, delay)
        cell.restart_scope = None
        if cell.farewell is not None:
            await self._close(cell)

    async def _reincarnate(self, cell: Cell, error: BaseException, delay: float) -> None:
        """Try to start anew until it works or supervision has had enough."""
        while cell.farewell is None:
            cell.actor = None
            cell.incarnation += 1
            if delay:
                await anyio.sleep(delay)
            try:
                actor = incarnate(cell)
                await run_hook(cell, actor.on_restart(error), self._kernel.context.copy())
            except Exception as failure:  # noqa: BLE001  supervision decides what it means
                error, delay = failure, self._failed_restart(cell, failure)
                await self._end_children(cell, 0)
            else:
                self._kernel.counters.restarts += 1
                cell.reopen()
                return

    def _failed_restart(self, cell: Cell, error: BaseException) -> float:
        """Decide about a start that failed; return the seconds until the next one."""
        decision = self._decide(cell)
        log_failure(cell.address, "actor failed to restart", error, action=decision.action)
        if decision.action != "restart":
            self._give_up(cell, error, decision)
        return decision.delay

    # End

    async def stop(self, cell: Cell, timeout: float) -> None:
        """End an actor and wait for it, unless the caller is part of what has to end."""
        if not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
        self.end(cell, "stopped", None, timeout)
        if not _inside(cell):
            await self._wait_end(cell)

    def end(self, cell: Cell, reason: Ending, error: BaseException | None, timeout: float) -> None:
        """Begin to end an actor, or make an end that has begun come sooner."""
        deadline = self._kernel.time() + timeout
        if cell.farewell is not None:
            cell.farewell.deadline = min(deadline, cell.farewell.deadline)
            if not timeout and cell.state is State.DRAINING:
                cell.state = State.CLOSING
            cell.settled()
            return
        cell.farewell = Farewell(reason=reason, error=error, deadline=deadline)
        before, cell.state = cell.state, State.DRAINING if timeout else State.CLOSING
        if before in (State.STARTING, State.RESTARTING):
            # Whoever starts it notices, and closes it instead.
            if cell.restart_scope is not None:
                cell.restart_scope.cancel()
        elif _is_bare(cell):
            self._finish(cell)
        else:
            self._enqueue(lambda: self._close(cell))

    async def stop_all(self, timeout: float) -> None:
        """End all actors, the youngest first, and wait for all but the caller's own."""
        deadline = self._kernel.time() + timeout
        for cell in reversed(tuple(self.roots.values())):
            self.end(cell, "stopped", None, max(0.0, deadline - self._kernel.time()))
            if not _inside(cell):
                await self._wait_end(cell)

    def watch(self, watcher: Cell, watched: Cell) -> None:
        """Deliver a Down to the watcher when the watched ends, now if it has."""
        if watched.alive:
            _watchers(watched)[watcher] = None
        else:
            watcher.deliver_control(self._kernel.control(_down(watched), watcher))

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

    async def _wait_end(self, cell: Cell) -> None:
        if cell.alive and cell.farewell is not None:
            slot = self._kernel.make_slot()
            cell.farewell.waiters.append(slot)
            await slot

    async def _close(self, cell: Cell) -> None:
        farewell = cell.farewell
        assert farewell is not None, "an end begins in `end`"  # noqa: S101  an invariant
        try:
            if cell.state is State.DRAINING and cell.actor is not None:
                await drained(cell, lambda: farewell.deadline)
            cell.state = State.CLOSING
            if not await interrupt(cell, "stopped"):
                self.abandoned.append(cell)
            await self._end_children(cell, max(0.0, farewell.deadline - self._kernel.time()))
            await say_goodbye(cell)
        finally:
            self._finish(cell)

    async def _end_children(self, cell: Cell, timeout: float) -> None:
        for child in reversed(tuple((cell.children or {}).values())):
            self.end(child, "stopped", None, timeout)
            await self._wait_end(child)

    def _finish(self, cell: Cell) -> None:
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
                watcher.deliver_control(self._kernel.control(_down(cell), watcher))
        if cell.farewell is not None:
            for slot in cell.farewell.waiters:
                if not slot.done():
                    slot.set_result(None)

    def _enqueue(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
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
