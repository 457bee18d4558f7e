"""The event loop of a simulation: time that jumps, and a policy that says who runs next.

Steps of tasks, timers that are due and functions in threads lie in one pool, out of which the
policy chooses. A timer that is due competes with the tasks: in real life an expiry may come late,
and a deadline that always fired first could never fall between a hand-over and the resumption of
its receiver. Any other callback keeps the order that asyncio promises. When nothing is left to run,
the clock jumps to the next timer; when there is none, the program is deadlocked.
"""

import asyncio
import hashlib
import heapq
import math
import random
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextvars import Context
from itertools import count
from typing import Any, NoReturn, TypeVar, TypeVarTuple

from callboard.runtime.simulation.actor_waits import draw_actors
from callboard.runtime.simulation.errors import DeadlockError, LivelockError, RefusedError
from callboard.runtime.simulation.fifo import Fifo
from callboard.runtime.simulation.handles import Callback, Timer
from callboard.runtime.simulation.limits import Limits
from callboard.runtime.simulation.numbers import Numbers
from callboard.runtime.simulation.places import culprit
from callboard.runtime.simulation.policy import Chooser, Policy
from callboard.runtime.simulation.sealed_loop import SealedLoop
from callboard.runtime.simulation.task import SimulatedTask
from callboard.runtime.simulation.thread_call import ThreadCall
from callboard.runtime.simulation.waiting import draw_waits

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Observer = Callable[["SimulationLoop", Callback | Timer], None]
"""Looks at each callback before it runs."""


class SimulationLoop(SealedLoop):
    """Runs one simulation. Neither threads nor files nor sockets reach it."""

    def __init__(
        self,
        policy: Policy,
        seed: int,
        *,
        limits: Limits,
        observer: Observer | None = None,
    ) -> None:
        super().__init__()
        self.steps = 0
        """Callbacks and steps of tasks so far."""
        self.choices: list[int] = []
        """What the policy chose, wherever there was a choice."""
        self.failure: BaseException | None = None
        """What ended the run from outside of the program; the first one."""
        self.entropy = random.Random(f"entropy {seed}")  # noqa: S311  not a secret
        """Where the bytes of `os.urandom` come from."""
        self.numbers = Numbers()
        """Hashes for objects that have none of their own."""
        self.thread: ThreadCall | None = None
        """The function in a thread that is running, if any."""
        self._chooser: Chooser = policy.begin(seed)
        self._in_order = isinstance(self._chooser, Fifo)
        self._limits = limits
        self.observer = observer
        """Looks at each callback before it runs; None for nobody."""
        self._now = 0.0
        self._births = count(1)
        self._order = count()
        self._digest = hashlib.blake2b(digest_size=16)
        self._queue: deque[Callback | Timer] = deque()
        self._pool: list[Callback | Timer] = []
        self._pool_numbers: list[int] = []
        self._timers: list[tuple[float, int, Timer]] = []
        self._steps_at_once = 0
        self._last_step = limits.steps
        self._clock_reads = 0
        self._main: SimulatedTask | None = None
        make_task: Any = self._make_task
        self.set_task_factory(make_task)

    # The clock

    def time(self) -> float:
        """Return the simulated seconds since the start."""
        return self._now if self.thread is None else self._now + self.thread.slept

    def read_clock(self) -> float:
        """Return the time to the program; one that reads nothing else would never stop."""
        self._clock_reads += 1
        if self._clock_reads > self._limits.clock_reads:
            self._clock_reads = 0
            limit = f"{self._limits.clock_reads} looks at the clock in one step, at {culprit()}"
            raise self.fail(LivelockError(self._now, limit, self._picture()))
        return self.time()

    @property
    def digest(self) -> str:
        """A fingerprint of all steps so far: the same for the same schedule."""
        return self._digest.copy().hexdigest()

    # What is to run

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Line a callback up."""
        self.check_open()
        owner = getattr(callback, "__self__", None)
        number = owner.number if isinstance(owner, SimulatedTask) else None
        handle = Callback(callback, args, self, context, number, owner)
        self._queue.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer."""
        self.check_open()
        timer = Timer(when, callback, args, self, context, next(self._births))
        if when < math.inf:  # anyio.sleep_forever sets a timer that never goes off
            heapq.heappush(self._timers, (when, next(self._order), timer))
        return timer

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer, relative to now."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Line a callback up; only the simulation's own thread may."""
        if asyncio._get_running_loop() is not self and self.is_running():
            self.refuse("a callback from another thread", "anyio.to_thread.run_sync")
        return self.call_soon(callback, *args, context=context)

    def call_in_thread(
        self,
        function: Callable[..., Any],
        args: Sequence[Any],
        context: Context | None = None,
    ) -> asyncio.Future[Any]:
        """Have a function run as if in a thread; return what its caller awaits."""
        self.check_open()
        call = ThreadCall(function, tuple(args), self.create_future(), context)
        number = next(self._births)
        self._queue.append(Callback(self._run_thread, (call,), self, None, number, function))
        return call.future

    def run_in_executor(
        self, executor: Any, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Have a function run as if in a thread, whatever the executor."""
        del executor
        return self.call_in_thread(func, args)

    # One step after another

    def _run_once(self) -> None:
        """Run what asyncio would call one iteration; `run_forever` calls it again and again."""
        if not (self._queue or self._pool or self._stopping):
            self._jump()
        self._collect_due()
        if self._in_order:
            for _ in range(len(self._queue)):
                self._step(self._queue.popleft())
            return
        self._sort_queue()
        if self._pool:
            self._step_one_of_the_pool()

    def _jump(self) -> None:
        """Move the clock to the next timer."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        if self._timers:
            self._now = max(self._now, self._timers[0][0])
            self._steps_at_once = 0
        else:
            self.fail(DeadlockError(self._now, self._picture()))

    def _collect_due(self) -> None:
        timers = self._timers
        while timers and timers[0][0] <= self._now:
            self._queue.append(heapq.heappop(timers)[2])

    def _sort_queue(self) -> None:
        """Run what keeps its order, and let the rest compete."""
        for _ in range(len(self._queue)):
            if self._in_order:
                return  # a callback has failed
            handle = self._queue.popleft()
            if handle.number is None:
                self._step(handle)
            elif not handle.cancelled():
                self._pool.append(handle)
                self._pool_numbers.append(handle.number)

    def _step_one_of_the_pool(self) -> None:
        index = 0
        if len(self._pool) > 1:
            try:
                index = self._chooser.choose(self._pool_numbers)
            except BaseException as error:  # noqa: BLE001  a chooser that gives up ends the run
                self.fail(error)
                return
            self.choices.append(index)
        del self._pool_numbers[index]
        self._step(self._pool.pop(index))

    def _step(self, handle: Callback | Timer) -> None:
        if handle.cancelled():
            return
        self.steps += 1
        self._steps_at_once += 1
        self._clock_reads = 0
        self._digest.update(b"%r %d;" % (self._now, handle.number or 0))
        if self.observer is not None:
            self.observer(self, handle)
        handle.run()
        if self._steps_at_once > self._limits.steps_at_once:
            self._give_up(f"{self._limits.steps_at_once} steps without the clock moving")
        elif self.steps > self._last_step:
            self._give_up(f"{self.steps} steps and no end")

    def _run_thread(self, call: ThreadCall) -> None:
        self.thread = call
        try:
            call.run()
        finally:
            self.thread = None
        if call.slept:
            self.call_later(call.slept, call.deliver)
        else:
            call.deliver()

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, Any],
        **options: Any,
    ) -> SimulatedTask:
        task = SimulatedTask(coro, number=next(self._births), loop=loop, **options)
        self._digest.update(b"+%d;" % task.number)
        if self._main is None:
            self._main = task
        return task

    # The end

    def fail(self, error: BaseException) -> BaseException:
        """End the run with an error, in good order: the main task is cancelled.

        Returns:
            The error, for the culprit to raise.

        Raises:
            BaseException: The error, out of the loop, if the run is ending already and can't.
        """
        if self.failure is None:
            self.failure = error
            # What follows is clean-up: in order, and with an allowance of its own.
            self._in_order = True
            self._queue.extend(self._pool)
            self._pool.clear()
            self._pool_numbers.clear()
            self._last_step = self.steps + self._limits.steps_at_once
            self._steps_at_once = 0
            if self._main is not None and self._main.cancel():
                return error
        if not isinstance(error, RefusedError):
            raise error
        return error

    def close(self) -> None:
        """Close the loop; tasks that would not end are given up."""
        if not self.is_running():
            for task in sorted(asyncio.all_tasks(self), key=hash):
                if isinstance(task, SimulatedTask):
                    task.abandon()
        super().close()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """End the run when a callback raises; all else is logged, as asyncio does."""
        error = context.get("exception")
        if isinstance(error, BaseException) and "handle" in context:
            self.fail(error)
        else:
            super().call_exception_handler(context)

    def _give_up(self, limit: str) -> None:
        self.fail(LivelockError(self._now, limit, self._picture()))

    def _picture(self) -> str:
        tasks = [task for task in asyncio.all_tasks(self) if isinstance(task, SimulatedTask)]
        return "\n".join(filter(None, (draw_waits(tasks), draw_actors(self.time))))

    def refuse(self, what: str, instead: str) -> NoReturn:
        """End the run because the program reached for the world outside.

        Raises:
            RefusedError: Always.
        """
        raise self.fail(RefusedError(what, culprit(), instead))
