"""Restarts: taking incarnations down and bringing new ones up, in order where there is one."""

import math
import random
from dataclasses import dataclass, field, replace

import anyio

from callboard.runtime.cell import Cell
from callboard.runtime.ends import Ends
from callboard.runtime.errors import EscalatedError
from callboard.runtime.inbox import State
from callboard.runtime.incarnation import incarnate, run_hook, take_snapshot
from callboard.runtime.kernel import Kernel
from callboard.runtime.logs import actor_logger, log_failure
from callboard.runtime.passivation import Idleness
from callboard.runtime.supervision import Decision, History, decide, touched
from callboard.runtime.winding_down import interrupt, let_finish, say_goodbye


@dataclass(slots=True, kw_only=True, eq=False)
class _Group:
    """Siblings that restart together; failures meanwhile ask for another round."""

    error: BaseException
    delay: float
    pending: dict[Cell, None] = field(default_factory=dict[Cell, None])
    """Who is touched and has not been taken down since."""


class Restarts:
    """Meets failures: one restart, the restart of a group, an end, an escalation."""

    def __init__(self, kernel: Kernel, ends: Ends) -> None:
        self._kernel = kernel
        self._ends = ends
        self._groups: dict[Cell | None, _Group] = {}
        """Groups at work, by parent: one at a time in each family."""

    def crashed(self, cell: Cell, error: BaseException) -> None:
        """Supervise a failure; an actor that restarts or ends anyway only has it logged."""
        if cell.state is not State.RUNNING:
            log_failure(cell.address, "actor failed", error, action="none", state=cell.state.name)
            if cell.state is State.DRAINING:
                self._ends.end(cell, "stopped", None, 0)  # a failed instance handles nothing more
            return
        decision = self._decide(cell)
        log_failure(
            cell.address, "actor failed", error, action=decision.action, delay=decision.delay
        )
        if decision.action != "restart":
            self._give_up(cell, error, decision)
        elif cell.terms.supervision.strategy == "one_for_one":
            _suspend(cell)
            alone = _Group(error=error, delay=decision.delay, pending={cell: None})
            self._ends.enqueue(lambda: self._restart_round(alone, cell))
        else:
            self._restart_group(cell, error, decision.delay)

    # Rest

    def observe_idleness(self, cell: Cell) -> None:
        """Put an actor to rest when it has been idle, if its terms say so."""
        limit = cell.terms.passivate_after
        if limit is not None:
            Idleness(cell, limit, self._put_to_rest).look_later()

    def wake(self, cell: Cell) -> None:
        """Let an actor that was put to rest live again: a message has come."""
        _suspend(cell)
        self._ends.enqueue(lambda: self._step(cell, None, 0.0))

    def _put_to_rest(self, cell: Cell) -> None:
        _suspend(cell)
        self._ends.enqueue(lambda: self._rest(cell))

    async def _rest(self, cell: Cell) -> None:
        await self._take_down(cell)
        if cell.farewell is not None:
            return
        if len(cell.mailbox):
            await self._step(cell, None, 0.0)
        else:
            cell.state = State.PASSIVE
            cell.scheduled = False

    # Groups

    def _restart_group(self, cell: Cell, error: BaseException, delay: float) -> None:
        parent = cell.parent
        group = self._groups.get(parent)
        if group is None:
            group = self._groups[parent] = _Group(error=error, delay=delay)
            self._ends.enqueue(lambda: self._restart_rounds(parent, cell))
        group.error, group.delay = error, max(delay, group.delay)
        family = tuple(self._ends.siblings(parent).values())
        strategy = cell.terms.supervision.strategy
        for member in touched(strategy, family, cell):
            if member.state in (State.RUNNING, State.RESTARTING):
                group.pending[member] = None
            if member.state is State.RUNNING:
                _suspend(member)

    async def _restart_rounds(self, parent: Cell | None, culprit: Cell) -> None:
        group = self._groups[parent]
        try:
            while group.pending:
                await self._restart_round(group, culprit)
        finally:
            del self._groups[parent]

    async def _restart_round(self, group: _Group, culprit: Cell) -> None:
        """Take down from the youngest up, wait, bring up from the oldest down."""
        family = tuple(self._ends.siblings(culprit.parent).values())
        members = [cell for cell in family if cell in group.pending]
        error, delay, group.delay = group.error, group.delay, 0.0
        group.pending.clear()
        for cell in reversed(members):
            if cell.terms.restart == "temporary":
                self._ends.end(cell, "stopped", None, 0)
                await self._ends.wait_end(cell)
            else:
                if cell is not culprit:
                    await let_finish(cell, cell.terms.last_chance)
                await self._take_down(cell)
        for cell in members:
            if cell not in group.pending:
                await self._step(cell, error, delay)
                delay = 0.0

    # One actor

    async def _take_down(self, cell: Cell) -> None:
        if cell.farewell is not None:
            return
        with anyio.CancelScope() as cell.scope:
            if not await interrupt(cell, "restarted"):
                self._ends.abandoned.append(cell)
            await self._ends.dismiss_children(cell)
            take_snapshot(cell)
            if cell.terms.shutdown != "kill":
                await say_goodbye(cell)
        await self._leave_step(cell)
        cell.actor = None

    async def _step(self, cell: Cell, error: BaseException | None, delay: float) -> None:
        """Bring up an actor that is down, unless it is ended instead."""
        if cell.farewell is not None or cell.state is not State.RESTARTING:
            return
        with anyio.CancelScope() as cell.scope:
            await self._bring_up(cell, error, delay)
        await self._leave_step(cell)

    async def _leave_step(self, cell: Cell) -> None:
        cell.scope = None
        if cell.farewell is not None:
            await self._ends.close(cell)

    async def _bring_up(self, cell: Cell, error: BaseException | None, delay: float) -> None:
        """Try to start anew until it works or supervision has had enough.

        Args:
            cell: The actor.
            error: What ended the incarnation before; None if it was put to rest.
            delay: Seconds until the first attempt.
        """
        while cell.farewell is None:
            cell.actor = None
            cell.incarnation += error is not None
            if delay:
                await anyio.sleep(delay)
            try:
                actor = incarnate(cell)
                hook = actor.on_start() if error is None else actor.on_restart(error)
                await run_hook(cell, hook, self._kernel.context.copy())
            except Exception as failure:  # noqa: BLE001  supervision decides what it means
                error, delay = failure, self._failed_restart(cell, failure)
                await self._ends.dismiss_children(cell)
            else:
                self._go_on(cell, restarted=error is not None)
                return

    def _go_on(self, cell: Cell, *, restarted: bool) -> None:
        if restarted:
            self._kernel.counters.restarts += 1
            cell.history = replace(cell.history, up_since=self._kernel.time())
            actor_logger(cell.address).info("actor restarted", restarts=cell.incarnation)
        group = self._groups.get(cell.parent)
        if group is None or cell not in group.pending:
            cell.reopen()
            self.observe_idleness(cell)

    # Decisions

    def _decide(self, cell: Cell) -> Decision:
        terms = cell.terms
        kin = self._kin(cell)
        decision = decide(
            restart=terms.restart,
            supervision=terms.supervision,
            history=max((member.history for member in kin), key=_latest),
            now=self._kernel.time(),
            chance=random.random(),  # noqa: S311  jitter, not a secret
        )
        for member in kin:
            member.history = decision.history
        return decision

    def _kin(self, cell: Cell) -> list[Cell]:
        """Return whose failures count together: those of a group, else those of one actor."""
        if cell.terms.supervision.strategy == "one_for_one":
            return [cell]
        family = self._ends.siblings(cell.parent).values()
        return [kin for kin in family if kin.terms.supervision.strategy != "one_for_one"]

    def _failed_restart(self, cell: Cell, error: BaseException) -> float:
        """Decide about a start that failed; return the seconds until the next one."""
        decision = self._decide(cell)
        log_failure(cell.address, "actor failed to restart", error, action=decision.action)
        if decision.action != "restart":
            self._give_up(cell, error, decision)
        return decision.delay

    def _give_up(self, cell: Cell, error: BaseException, decision: Decision) -> None:
        self._ends.end(cell, "failed", error, 0)
        if decision.action != "escalate":
            return
        failures, period = len(decision.history.failures), cell.terms.supervision.period
        escalated = EscalatedError(cell.address, failures, period, error)
        if cell.parent is None:
            self._kernel.abort(escalated)
        else:
            self.crashed(cell.parent, escalated)


def _suspend(cell: Cell) -> None:
    """Let messages come in, and none be handled."""
    cell.state = State.RESTARTING
    cell.scheduled = True


def _latest(history: History) -> tuple[float, float]:
    """Order histories by their last failure; of equal ones that of an actor which came up again."""
    last = history.failures[-1] if history.failures else -math.inf
    return last, history.up_since if math.isfinite(history.up_since) else -math.inf
