"""One thread, one job at a time, in order; and whatever happens, nobody waits for ever."""

import gc
import os
import threading
import weakref
from functools import partial

import anyio
import anyio.to_thread
import pytest

from callboard.backends.local.errors import EngineError
from callboard.backends.local.job import Job
from callboard.backends.local.wake import current_wake
from callboard.backends.local.worker import Worker

pytestmark = pytest.mark.anyio

TextJob = Job[str, int]


async def nobody(_: str) -> None:
    """Watch nothing."""


def make_job(work: "partial[int]") -> TextJob:
    """Wrap work that wants no job."""
    return Job(lambda _: work(), current_wake())


class Gate:
    """Work that says when it has begun, and goes on until it is let go or cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.open = threading.Event()
        self.ended = threading.Event()

    def __call__(self, job: TextJob) -> int:
        self.begun.set()
        try:
            while not self.open.wait(0.001):
                job.check()
            return 1
        finally:
            self.ended.set()

    async def entered(self) -> None:
        """Wait until the thread is inside."""
        await anyio.to_thread.run_sync(self.begun.wait)


async def test_jobs_run_in_order() -> None:
    """First come, first served, and never two at once."""
    worker, gate = Worker("test"), Gate()
    order: list[int] = []
    jobs = [Job(gate, current_wake())]
    jobs += [make_job(partial(lambda n: order.append(n) or n, n)) for n in range(50)]
    for job in jobs:
        worker.submit(job)
    gate.open.set()
    async with anyio.create_task_group() as group:
        for job in reversed(jobs):
            group.start_soon(job.wait, nobody)
    assert order == list(range(50))
    await worker.aclose()


async def test_pieces_come_in_order_and_whole() -> None:
    """However fast the thread is, each piece arrives, before the result."""
    worker = Worker("test")

    def work(job: TextJob) -> int:
        for n in range(1000):
            job.emit(str(n))
        return 7

    told: list[str] = []

    async def sink(piece: str) -> None:
        told.append(piece)

    job = Job(work, current_wake())
    worker.submit(job)
    assert await job.wait(sink) == 7
    assert told == [str(n) for n in range(1000)]
    await worker.aclose()


async def test_pieces_share_a_wake_up() -> None:
    """What arrives before the loop has looked costs it one call, not one for each piece."""
    calls: list[object] = []
    job: TextJob = Job(lambda _: 0, calls.append)
    for n in range(10):
        job.emit(str(n))
    assert len(calls) == 1


async def test_what_the_work_raises_is_its_waiters_own() -> None:
    """The next job never hears of it."""
    worker = Worker("test")
    bad = make_job(partial(int, "x"))
    good = make_job(partial(int, "3"))
    worker.submit(bad)
    worker.submit(good)
    with pytest.raises(ValueError, match="invalid literal"):
        await bad.wait(nobody)
    assert await good.wait(nobody) == 3
    await worker.aclose()


async def test_a_cancelled_waiter_frees_the_thread() -> None:
    """The work ends at its next step, and the next job has its turn."""
    worker, gate = Worker("test"), Gate()
    job = Job(gate, current_wake())
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            worker.submit(job)
            group.start_soon(job.wait, nobody)
            await gate.entered()
            scope.cancel()
    after = make_job(partial(int, 5))
    worker.submit(after)
    assert await after.wait(nobody) == 5
    assert gate.ended.is_set()
    await worker.aclose()


async def test_a_job_nobody_waits_for_never_starts() -> None:
    """Who gave up in the queue costs nothing."""
    worker, gate = Worker("test"), Gate()
    never = Gate()
    jobs = [Job(gate, current_wake()), Job(never, current_wake()), make_job(partial(int, 1))]
    for job in jobs:
        worker.submit(job)
    jobs[1].cancelled = True
    gate.open.set()
    assert await jobs[2].wait(nobody) == 1
    assert not never.begun.is_set()
    await worker.aclose()


async def test_a_sink_that_raises_ends_the_work() -> None:
    """Its exception comes out as it is, and the thread goes on to the next."""
    worker, gate = Worker("test"), Gate()

    def work(job: TextJob) -> int:
        job.emit("piece")
        return gate(job)

    async def sink(_: str) -> None:
        raise LookupError("no more")

    job = Job(work, current_wake())
    worker.submit(job)
    with pytest.raises(LookupError, match="no more"):
        await job.wait(sink)
    await anyio.to_thread.run_sync(gate.ended.wait)
    await worker.aclose()


async def test_a_dying_thread_fails_everyone_at_once() -> None:
    """The running job, those that wait, and those that come later: each by a typed error."""
    worker = Worker("test")
    held = Gate()

    def die(job: TextJob) -> int:
        held(job)
        raise SystemExit("gone")

    jobs = [Job(die, current_wake()), *(make_job(partial(int, n)) for n in range(3))]
    for job in jobs:
        worker.submit(job)
    held.open.set()
    causes = []
    for job in jobs:
        with pytest.raises(EngineError, match="SystemExit: gone") as caught:
            await job.wait(nobody)
        assert caught.value.reason == "died"
        causes.append(type(caught.value.__cause__))
    assert causes == [SystemExit] * 4
    with pytest.raises(EngineError, match="make a new"):
        worker.submit(make_job(partial(int, 1)))
    await worker.aclose()


async def test_closing_fails_those_who_wait() -> None:
    """The running job and the queue end at once, and the thread is gone afterwards."""
    worker, gate = Worker("callboard-closing"), Gate()
    jobs = [Job(gate, current_wake()), make_job(partial(int, 1))]
    for job in jobs:
        worker.submit(job)
    await gate.entered()
    await worker.aclose()
    for job in jobs:
        with pytest.raises(EngineError) as caught:
            await job.wait(nobody)
        assert caught.value.reason == "closed"
    assert "callboard-closing" not in {thread.name for thread in threading.enumerate()}
    await worker.aclose()
    with pytest.raises(EngineError, match="closed"):
        worker.submit(make_job(partial(int, 1)))


async def test_closing_what_never_ran() -> None:
    """Without a job there is no thread to wait for."""
    worker = Worker("test")
    await worker.aclose()


async def test_closing_while_cancelled() -> None:
    """The thread ends within `aclose`, cancelled or not."""
    worker, gate = Worker("callboard-cancelled"), Gate()
    worker.submit(Job(gate, current_wake()))
    await gate.entered()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await worker.aclose()
    assert gate.ended.is_set()
    assert "callboard-cancelled" not in {thread.name for thread in threading.enumerate()}


async def test_an_idle_thread_keeps_no_job_alive() -> None:
    """What a call held is free when the call is over."""
    worker = Worker("test")
    job, after = make_job(partial(int, 1)), make_job(partial(int, 2))
    gone = weakref.ref(job)
    worker.submit(job)
    await job.wait(nobody)
    worker.submit(after)  # once this has begun, the thread is done with the first
    await after.wait(nobody)
    del job
    gc.collect()
    assert gone() is None
    await worker.aclose()


def test_a_closed_loop_does_not_hurt_the_thread() -> None:
    """A loop that ends while its job runs is forgotten; another one is served."""
    worker, gate = Worker("test"), Gate()
    went_on = []

    def work(job: TextJob) -> int:
        gate(job)
        job.emit("to nobody")
        job.check()
        went_on.append("though nobody waits")
        return 0

    async def submit() -> None:
        worker.submit(Job(work, current_wake()))

    async def count() -> int:
        job = make_job(partial(int, 4))
        worker.submit(job)
        return await job.wait(nobody)

    anyio.run(submit)
    gate.open.set()
    assert anyio.run(count) == 4
    assert not went_on
    worker.stop()
    worker.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # that we fork is the point
def test_a_fork_is_noticed() -> None:
    """In a forked process a submission fails at once, instead of waiting for a thread elsewhere."""
    worker = Worker("test")

    async def count() -> int:
        job = make_job(partial(int, 4))
        worker.submit(job)
        return await job.wait(nobody)

    assert anyio.run(count) == 4
    child = os.fork()
    if child == 0:
        status = 1
        try:
            worker.submit(Job(lambda _: 0, lambda _: None))
        except EngineError as error:
            status = 0 if error.reason == "forked" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert anyio.run(count) == 4
    worker.stop()
    worker.join()
