"""Explorations find planted bugs, say how to repeat them, and are silent about sound programs."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import pytest

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.simulation import (
    DeadlockError,
    Pct,
    explore,
    simulate,
)

Program = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Deposit(Message[None]):
    amount: int


@dataclass(frozen=True, slots=True)
class Balance(Message[int]):
    pass


class Careless(Actor):
    """Reads, awaits, writes: loses an update when another handler comes in between."""

    def __init__(self) -> None:
        self.balance = 0

    @Deposit.handler(reentrant=True)
    async def deposit(self, message: Deposit) -> None:
        before = self.balance
        await anyio.lowlevel.checkpoint()
        self.balance = before + message.amount

    @Balance.handler
    async def total(self, message: Balance) -> int:
        return self.balance


class Careful(Careless):
    """The same, one message at a time."""

    @Deposit.handler
    async def deposit(self, message: Deposit) -> None:
        before = self.balance
        await anyio.lowlevel.checkpoint()
        self.balance = before + message.amount


def deposits(kind: type[Careless]) -> Program:
    """Return a program that deposits twice, at times that usually lie apart."""

    async def program() -> None:
        async with Runtime() as runtime:
            account = await runtime.spawn(kind)

            async def customer(errands: int) -> None:
                for _ in range(errands):
                    await anyio.lowlevel.checkpoint()
                await account.ask(Deposit(1))

            async with anyio.create_task_group() as group:
                group.start_soon(customer, 1)
                group.start_soon(customer, 15)
            assert await account.ask(Balance()) == 2, "an update was lost"

    return program


def restarts(*, keeps_mailbox: bool) -> Program:
    """Return a program whose actor fails once; what was queued must survive."""

    async def program() -> None:
        got: list[str] = []
        mailbox = anyio.create_memory_object_stream[str](8)

        async def actor() -> None:
            async for message in mailbox[1]:
                if message == "poison":
                    raise ValueError(message)
                await anyio.lowlevel.checkpoint()
                got.append(message)
                if len(got) == 2:
                    return

        async def supervisor() -> None:
            nonlocal mailbox
            while True:
                try:
                    return await actor()
                except ValueError:
                    if not keeps_mailbox:
                        mailbox[0].close()
                        mailbox[1].close()
                        mailbox = anyio.create_memory_object_stream[str](8)

        async def sender(*messages: str) -> None:
            for message in messages:
                await mailbox[0].send(message)
                await anyio.lowlevel.checkpoint()

        with anyio.move_on_after(1):
            async with anyio.create_task_group() as group:
                group.start_soon(supervisor)
                group.start_soon(sender, "poison")
                group.start_soon(sender, "one", "two")
        mailbox[0].close()
        mailbox[1].close()
        assert got == ["one", "two"], "a message was lost"

    return program


def asks(*, in_order: bool) -> Program:
    """Return a program of two servers that ask one another, at worst at the same time."""

    async def program() -> None:
        left, right = anyio.Lock(), anyio.Lock()

        async def transfer(first: anyio.Lock, second: anyio.Lock) -> None:
            async with first:
                await anyio.lowlevel.checkpoint()
                async with second:
                    await anyio.lowlevel.checkpoint()

        async with anyio.create_task_group() as group:
            group.start_soon(transfer, left, right)
            await anyio.lowlevel.checkpoint()
            group.start_soon(transfer, *((left, right) if in_order else (right, left)))

    return program


def ask_cycle(*, closed: bool) -> Program:
    """Return a program of two hand-made actors; with a closed cycle each waits for the other."""

    async def program() -> None:
        a_in, a_out = anyio.create_memory_object_stream[anyio.Event](1)
        b_in, b_out = anyio.create_memory_object_stream[anyio.Event](1)

        async def actor(inbox, peer) -> None:
            async for reply in inbox:
                if peer is not None:
                    answered = anyio.Event()
                    await peer.send(answered)
                    await answered.wait()
                reply.set()

        with a_in, a_out, b_in, b_out:
            async with anyio.create_task_group() as group:
                group.start_soon(actor, a_out, b_in)
                group.start_soon(actor, b_out, a_in if closed else None)
                answered = anyio.Event()
                await a_in.send(answered)
                await answered.wait()
                group.cancel_scope.cancel()

    return program


BUGS = {
    "lost update": (deposits(Careless), deposits(Careful)),
    "mailbox dropped at restart": (restarts(keeps_mailbox=False), restarts(keeps_mailbox=True)),
    "locks in opposite order": (asks(in_order=False), asks(in_order=True)),
    "ask cycle": (ask_cycle(closed=True), ask_cycle(closed=False)),
}


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found_and_repeat(bug: str) -> None:
    """The line in the report leads to the same failure again."""
    broken, _ = BUGS[bug]
    report = explore(broken, seeds=200)
    (failure,) = report.failures
    assert failure.reproduced
    assert str(failure) in str(report)
    assert f"seed={failure.report.seed}" in failure.replay
    with pytest.raises(type(failure.error)):
        simulate(broken, seed=failure.report.seed, policy=failure.report.policy)


@pytest.mark.parametrize("bug", BUGS)
def test_sound_programs_pass(bug: str) -> None:
    """Control: without the bug the same search finds nothing."""
    _, sound = BUGS[bug]
    report = explore(sound, seeds=100)
    assert not report.failures, str(report)
    assert report.runs == 201
    assert report.schedules > 1
    report.check()


def test_order_alone_does_not_find_the_lost_update() -> None:
    """Control: it is the schedules that find it, not the number of runs."""
    broken, _ = BUGS["lost update"]
    assert not explore(broken, seeds=50, policies=["fifo"]).failures


def test_check_raises_the_failure_with_notes() -> None:
    """The program's own exception, the replay line, and the chart of how it came to that."""
    broken, _ = BUGS["lost update"]
    report = explore(broken, seeds=200)
    with pytest.raises(AssertionError, match="an update was lost") as caught:
        report.check()
    notes = "\n".join(caught.value.__notes__)
    assert "replay: simulate(" in notes
    assert "ask Deposit" in notes


def test_the_search_can_go_on_after_a_failure() -> None:
    """How often a policy finds a bug is a number worth knowing."""
    broken, _ = BUGS["lost update"]
    every = explore(broken, seeds=100, policies=["pct"], stop_after=None)
    some = explore(broken, seeds=100, policies=["pct"], stop_after=2)
    assert every.runs == 101
    assert len(every.failures) > len(some.failures) == 2
    assert some.failures[0].report.digest == every.failures[0].report.digest


def test_seeds_may_be_named() -> None:
    """One seed under one policy: what a failure in CI is repeated with."""
    broken, _ = BUGS["lost update"]
    (failure,) = explore(broken, seeds=200).failures
    again = explore(broken, seeds=[failure.report.seed], policies=[repr(failure.report.policy)])
    assert again.runs == 1
    assert again.failures[0].report.digest == failure.report.digest


def test_pct_by_name_is_fitted_to_the_program() -> None:
    """Its changes of priority are spread over as many choices as the program has."""
    broken, _ = BUGS["lost update"]
    report = explore(broken, seeds=200, policies=["pct"], stop_after=None)
    horizons = {
        policy.horizon
        for failure in report.failures
        if isinstance(policy := failure.report.policy, Pct)
    }
    assert len(horizons) == 1
    assert horizons != {Pct().horizon}


def test_a_program_that_does_not_repeat_is_called_so() -> None:
    """What the program keeps from run to run is none of the seed's."""
    runs = itertools.count()

    async def program() -> None:
        for _ in range(next(runs)):
            await anyio.lowlevel.checkpoint()
        assert False, "at once"  # noqa: B011, PT015

    (failure,) = explore(program, seeds=3).failures
    assert not failure.reproduced
    assert "took other steps" in str(failure)


def test_what_is_no_exception_ends_the_search() -> None:
    """Ctrl-C is not a finding."""

    async def program() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explore(program)


def test_a_deadlock_is_a_finding() -> None:
    """A program that would hang fails, in no time."""
    broken, _ = BUGS["ask cycle"]
    (failure,) = explore(broken).failures
    assert isinstance(failure.error, DeadlockError)
