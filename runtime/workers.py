"""Workers: the few tasks that run the handlers of many actors.

An idle actor holds no task. What is to be done (drain a mailbox, run a reentrant handler, restart
an actor) waits in one queue, and one worker at a time, the *attendant*, works it off. Handlers that
never suspend therefore follow one another without any switch of tasks. When a handler suspends, its
worker stays with it and hands the queue over to the next worker, idle or new. So there are as many
tasks as there are suspended handlers, plus a small stock of idle ones.
"""

from collections import deque
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, Protocol

import anyio
from anyio.abc import TaskGroup

from callboard.runtime.loops import Loop, Slot

BATCH = 64
"""Messages or jobs after which a worker lets every other task run."""
MOST_IDLE = 64
"""Idle workers that are kept."""


class Job(Protocol):
    """A piece of work for a worker."""

    def start(self, worker: "Worker") -> "Coroutine[Any, Any, Job | None] | None":
        """Do what can be done without being suspended.

        Returns:
            The rest, None if there is none. The rest calls `worker.hand_over()` before anything
            that may suspend it, and returns a job to go on with at once, or None.
        """
        ...


class Worker:
    """One task that runs jobs, one after the other, until it is cancelled or not needed."""

    __slots__ = ("_pool", "_scope", "cancelled", "slot", "tired")

    def __init__(self, pool: "Workers") -> None:
        self._pool = pool
        # Cancelling the runtime's block does not cancel its actors: they end in good order.
        self._scope = anyio.CancelScope(shield=True)
        self.slot: Slot | None = None
        """Wakes it when it is idle."""
        self.cancelled = False
        """Whether it was cancelled; what it then still runs may not start anything new."""
        self.tired = False
        """Set by a job that has done a batch of work at once."""

    def cancel(self) -> None:
        """Cancel the job that it runs, and end it."""
        self.cancelled = True
        self._scope.cancel()

    def hand_over(self) -> None:
        """Let another worker attend to the queue, because this one is about to be suspended."""
        self._pool.resign(self)

    async def run(self) -> None:
        """Work until cancelled or not needed."""
        pool = self._pool
        try:
            with self._scope:
                await pool.loop.pause()  # an eager task must not run inside of whoever started it
                await self._work()
        finally:
            pool.leave(self)

    async def _work(self) -> None:
        pool = self._pool
        while True:
            left = BATCH
            while pool.attended_by(self):
                job: Job | None = pool.jobs.popleft()
                while job is not None:
                    rest = job.start(self)
                    job = None if rest is None else await rest
                if self.cancelled:
                    return
                left -= 1
                if self.tired or not left:
                    self.tired, left = False, BATCH
                    await pool.loop.pause()
            if pool.is_overstaffed():
                return
            await pool.rest(self)


class Workers:
    """The workers of a runtime and the queue that they work off."""

    def __init__(self, loop: Loop, group: TaskGroup, context: Context) -> None:
        self.loop = loop
        self.jobs: deque[Job] = deque()
        self.idle: list[Worker] = []
        self._group = group
        self._context = context
        self._attendant: Worker | None = None
        self._workers: set[Worker] = set()
        self._closed = False
        self._waiting: list[Slot] = []

    def close(self) -> None:
        """Cancel all workers; there will be no new ones."""
        self._closed = True
        for worker in tuple(self._workers):
            worker.cancel()

    async def quiet(self) -> None:
        """Wait until there is no job, and no worker has one."""
        while self.jobs or len(self.idle) < len(self._workers):
            slot = self.loop.make_slot()
            self._waiting.append(slot)
            await slot

    def is_overstaffed(self) -> bool:
        """Return whether there are idle workers enough."""
        return len(self.idle) >= MOST_IDLE

    def rest(self, worker: Worker) -> Slot:
        """Keep a worker for later; return what it has to wait for."""
        slot = worker.slot = self.loop.make_slot()
        self.idle.append(worker)
        if self._waiting:
            self._tell_quiet()
        return slot

    def leave(self, worker: Worker) -> None:
        """Let a worker go."""
        self._workers.discard(worker)
        self.resign(worker)
        if self._waiting:
            self._tell_quiet()

    def enqueue(self, job: Job) -> None:
        """Have the job done, after those that wait already."""
        self.jobs.append(job)
        if self._attendant is None:
            self._appoint()

    def attended_by(self, worker: Worker) -> bool:
        """Return whether there is a job for this worker; if so, it is the attendant."""
        if self.jobs:
            if self._attendant is None:
                self._attendant = worker
                return True
            return self._attendant is worker
        if self._attendant is worker:
            self._attendant = None
        return False

    def resign(self, worker: Worker) -> None:
        """Let the next worker attend to the queue, if this one did."""
        if self._attendant is worker:
            self._attendant = None
            if self.jobs:
                self._appoint()

    def _appoint(self) -> None:
        if self.idle:
            worker = self._attendant = self.idle.pop()
            if worker.slot is not None:
                worker.slot.set_result(None)
        elif not self._closed:
            self._attendant = Worker(self)
            self._workers.add(self._attendant)
            # A worker outlives the task that caused it, so it must not keep that task's context.
            self._context.copy().run(self._group.start_soon, self._attendant.run)

    def _tell_quiet(self) -> None:
        if not self.jobs and len(self.idle) >= len(self._workers):
            waiting, self._waiting = self._waiting, []
            for slot in waiting:
                if not slot.done():
                    slot.set_result(None)
