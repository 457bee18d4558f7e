"""One simulated run: it repeats step by step, in any process, and time costs nothing."""

import asyncio
import gc
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.simulation import (
    Choices,
    Fifo,
    Limits,
    LivelockError,
    SimulationError,
    simulate,
)

POLICIES = ("fifo", "random", "shuffle", "pct")


@dataclass(frozen=True, slots=True)
class Square(Message[int]):
    n: int


class Mathematician(Actor):
    @Square.handler(reentrant=True)
    async def square(self, message: Square) -> int:
        await anyio.sleep(random.random())
        return message.n**2


async def crowd() -> int:
    """Run actors, scopes and task groups at once, with ends by cancellation."""
    total = 0
    async with Runtime() as runtime:
        actors = [await runtime.spawn(Mathematician) for _ in range(3)]

        async def ask(n: int) -> None:
            nonlocal total
            with anyio.move_on_after(random.random()):
                total += await actors[n % 3].ask(Square(n))

        async with anyio.create_task_group() as group:
            for n in range(12):
                group.start_soon(ask, n)
    return total


@pytest.mark.parametrize("policy", POLICIES)
def test_the_same_seed_repeats_the_run(policy: str) -> None:
    """Same steps, same result, same clock: whatever was allocated in between."""
    first = simulate(crowd, seed=5, policy=policy)
    litter = [object() for _ in range(1000)]
    again = simulate(crowd, seed=5, policy=policy)
    assert (again.digest, again.result, again.time) == (first.digest, first.result, first.time)
    assert again.choices == first.choices
    assert litter


def test_another_seed_is_another_run() -> None:
    """Control: the digest does tell runs apart."""
    assert len({simulate(crowd, seed=seed).digest for seed in range(20)}) == 20


def test_another_process_repeats_the_run() -> None:
    """Addresses and the seed of string hashes change; the steps don't."""
    program = "from crowd import crowd; from callboard.runtime.simulation import simulate; "
    program += "print(simulate(crowd, seed=5).digest)"
    digests = {
        subprocess.run(
            [sys.executable, "-c", f"import sys; sys.path.insert(0, {HERE!r}); {LOAD}{program}"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
        ).stdout
        for seed in range(3)
    }
    assert len(digests) == 1


HERE = str(Path(__file__).parent)
LOAD = "import test_simulate; sys.modules['crowd'] = test_simulate; "


def test_written_choices_repeat_the_run() -> None:
    """A schedule can be kept without the policy that found it."""
    found = simulate(crowd, seed=5, policy="pct")
    again = simulate(crowd, seed=5, policy=Choices(found.choices))
    assert again.digest == found.digest


def test_time_jumps() -> None:
    """A simulated year passes at once, and nothing is early."""

    async def year() -> float:
        for _ in range(365):
            await anyio.sleep(24 * 3600)
        return anyio.current_time()

    report = simulate(year)
    assert report.result == report.time == 365 * 24 * 3600


def test_fifo_is_the_order_of_asyncio() -> None:
    """The reference: what asyncio's own loop does, in the same order."""

    async def program() -> list[str]:
        seen: list[str] = []
        loop, event = asyncio.get_running_loop(), anyio.Event()

        async def worker(name: str) -> None:
            for turn in range(3):
                seen.append(f"{name}{turn}")
                loop.call_soon(seen.append, f"soon {name}{turn}")
                loop.call_later(0, seen.append, f"later {name}{turn}")
                await anyio.lowlevel.checkpoint()
            event.set()

        async def waiter() -> None:
            await event.wait()
            seen.append("waiter")

        async with anyio.create_task_group() as group:
            group.start_soon(waiter)
            for name in "abc":
                group.start_soon(worker, name)
        return [each for each in seen if "later" not in each]

    assert simulate(program, policy="fifo").result == anyio.run(program)


def test_due_timers_compete_with_tasks() -> None:
    """A deadline may fall on either side of a hand-over at the same moment."""

    async def program() -> bool:
        send, receive = anyio.create_memory_object_stream[int]()

        async def sender() -> None:
            await anyio.sleep(1)
            with anyio.move_on_after(1):
                await send.send(1)

        with send, receive:
            async with anyio.create_task_group() as group:
                group.start_soon(sender)
                with anyio.CancelScope(deadline=1) as scope:
                    await receive.receive()
                group.cancel_scope.cancel()
        return scope.cancelled_caught

    assert {simulate(program, seed=seed).result for seed in range(30)} == {True, False}
    assert len({simulate(program, seed=seed, policy="fifo").result for seed in range(30)}) == 1


def test_what_the_program_raises_comes_out_with_its_replay() -> None:
    """The exception itself, and the line that repeats it."""

    async def program(key: str) -> None:
        raise KeyError(key)

    with pytest.raises(KeyError, match="gold") as caught:
        simulate(program, "gold", seed=3, policy="pct")
    (note,) = caught.value.__notes__
    assert note.startswith("replay: simulate(")
    assert "'gold', seed=3, policy='pct')" in note
    for word in ("Python 3", "anyio 4", "callboard", "PYTHONHASHSEED="):
        assert word in note


def test_a_callback_that_raises_ends_the_run() -> None:
    """What asyncio would log, and go on."""

    async def program() -> None:
        asyncio.get_running_loop().call_soon(int, "nonsense")
        await anyio.sleep(1)

    with pytest.raises(ValueError, match="nonsense"):
        simulate(program)


def test_a_run_ends_after_so_many_steps() -> None:
    """A program that goes on for ever is told from a long one."""

    async def program() -> None:
        while anyio.current_time() >= 0:  # noqa: ASYNC110  a program without an end
            await anyio.sleep(1)

    with pytest.raises(LivelockError, match="101 steps and no end"):
        simulate(program, limits=Limits(steps=100))


def test_the_process_is_left_as_it_was() -> None:
    """Random numbers, the garbage collector and the clocks are the caller's again."""
    random.seed(1)
    expected = random.Random(1).random()

    async def program() -> bool:
        random.random()
        return gc.isenabled()

    assert simulate(program).result is False
    assert gc.isenabled()
    assert random.random() == expected


def test_finalizers_stay_away() -> None:
    """Garbage in cycles isn't collected at a moment that allocation history sets."""

    async def program() -> list[str]:
        seen: list[str] = []

        class Loud:
            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                seen.append("gone")

        for _ in range(10_000):
            Loud()
        return list(seen)

    assert simulate(program).result == []


def test_tasks_that_will_not_end_are_given_up() -> None:
    """A failed run leaves no pending task to complain about, however stubborn."""

    async def stubborn() -> None:
        while True:
            try:
                await anyio.Event().wait()
            except anyio.get_cancelled_exc_class():
                continue

    async def program() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(stubborn)

    with pytest.raises(SimulationError, match="deadlock"):
        simulate(program, limits=Limits(steps_at_once=500))


def test_simulations_in_threads_take_turns() -> None:
    """What they exchange belongs to the process, so one waits for the other; both repeat."""
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(simulate(crowd, seed=5).digest))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [simulate(crowd, seed=5).digest] * 3


@pytest.mark.anyio
async def test_a_loop_that_runs_already_is_no_place_to_start() -> None:
    """A simulation has a loop of its own."""
    with pytest.raises(RuntimeError, match=r"[Aa]lready running"):
        simulate(crowd)


def test_async_generators_are_closed() -> None:
    """The loop's end finalizes them, as asyncio's does."""
    closed: list[bool] = []

    async def numbers() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.append(True)

    async def program() -> None:
        keep.append(numbers())
        await anext(keep[0])

    keep: list[object] = []
    simulate(program, policy=Fifo())
    assert closed == [True]


@pytest.mark.parametrize("limits", [{"steps": 0}, {"steps_at_once": -1}, {"clock_reads": 0}])
def test_limits_are_positive(limits: dict[str, int]) -> None:
    """A run of no steps shows nothing."""
    with pytest.raises(ValueError, match="at least 1"):
        Limits(**limits)
