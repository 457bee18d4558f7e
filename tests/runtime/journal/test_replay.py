"""Replays: an actor's state and replies, made again from its messages."""

from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from callboard.runtime import Actor, HandlerError, Message, Runtime
from callboard.runtime.journal import Journal, JournalReader, ReplayError, lives, replay

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Deposit(Message[int]):
    amount: int


@dataclass(frozen=True, slots=True)
class Withdraw(Message[int]):
    amount: int


@dataclass(frozen=True, slots=True)
class Tick(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Audit(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class Wait(Message[None]):
    pass


class OverdrawnError(Exception):
    pass


class Auditor(Actor):
    @Audit.handler
    async def audit(self, message: Audit) -> int:
        return 7


class Account(Actor):
    reply_errors = (OverdrawnError,)

    def __init__(self, fee: int = 0, limit: int | None = None) -> None:
        self.balance, self.ticks, self.fee, self.limit = 0, 0, fee, limit

    async def on_start(self) -> None:
        self.context.schedule(0, Tick())
        self.auditor = await self.context.spawn(Auditor)

    @Deposit.handler
    async def deposit(self, message: Deposit) -> int:
        if message.amount < 0:
            raise ValueError("negative")
        self.balance += message.amount - self.fee
        await self.context.ref.tell(Tick())  # stands in the journal itself
        return self.balance

    @Withdraw.handler
    async def withdraw(self, message: Withdraw) -> int:
        await anyio.lowlevel.checkpoint()
        if self.limit is not None and message.amount > self.limit:
            raise ValueError("beyond the limit")
        if message.amount > self.balance:
            raise OverdrawnError
        self.balance -= message.amount
        return self.balance

    @Tick.handler
    async def tick(self, message: Tick) -> None:
        self.ticks += 1

    @Audit.handler
    async def audit(self, message: Audit) -> int:
        return self.balance + await self.auditor.ask(Audit())

    @Wait.handler
    async def wait(self, message: Wait) -> None:
        if self.limit is not None:
            await anyio.sleep_forever()


@dataclass(frozen=True, slots=True)
class Bump(Message[None]):
    pass


class Child(Actor):
    def __init__(self) -> None:
        self.bumps = 0

    @Bump.handler
    async def bump(self, message: Bump) -> None:
        self.bumps += 1

    @Audit.handler
    async def audit(self, message: Audit) -> int:
        return self.bumps


class Parent(Actor):
    async def on_start(self) -> None:
        self.child = await self.context.spawn(Child)
        self.context.schedule(0, Bump(), to=self.child, every=0.001)

    @Audit.handler
    async def audit(self, message: Audit) -> int:
        await anyio.sleep(0.01)
        return await self.child.ask(Audit())


async def live(path: Path) -> Account:
    """Run an account for a while; return it as it was at its end."""
    async with Runtime(journal=Journal(path)) as runtime:
        ref = await runtime.spawn(Account, name="account")
        other = await runtime.spawn(Account, name="other")
        await other.ask(Deposit(1000))
        for amount in (10, 20, 30):
            await ref.ask(Deposit(amount))
        with pytest.raises(OverdrawnError):
            await ref.ask(Withdraw(100))
        await ref.ask(Withdraw(15))
        assert await ref.ask(Audit()) == 52
        await ref.ask(Wait())
        await runtime.settle()
        actor = runtime.find("account")
        assert actor is not None
        return actor.endpoint.actor


async def test_state_and_replies_come_back(tmp_path: Path) -> None:
    """The same messages in the same order, each once: self-sent and timed ones are not doubled."""
    before = await live(tmp_path)
    again = await replay(Account, tmp_path, address="account")
    assert (again.actor.balance, again.actor.ticks) == (before.balance, before.ticks) == (45, 4)
    values = [reply.value for reply in again.replies if not isinstance(reply.message, Tick)]
    assert values == [10, 30, 60, None, 45, 52, None]
    [refused] = [reply for reply in again.replies if reply.error is not None]
    assert isinstance(refused.error, OverdrawnError)
    assert refused.message == Withdraw(100)


async def test_another_factory_sees_the_same_messages(tmp_path: Path) -> None:
    """What would have been with a fee."""
    await live(tmp_path)
    again = await replay(lambda: Account(1), JournalReader(tmp_path), address="account")
    assert again.actor.balance == 42


async def test_until_stops_early(tmp_path: Path) -> None:
    """Records from a number on do not count."""
    await live(tmp_path)
    [third] = [
        life.ended.sequence
        for life in lives(JournalReader(tmp_path))
        if life.accepted.body == {"amount": 20} and life.ended
    ]
    again = await replay(Account, tmp_path, address="account", until=third + 1)
    assert again.actor.balance == 30


async def test_failed_messages_are_left_out(tmp_path: Path) -> None:
    """A message whose handler failed has changed nothing that counts."""
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        ref = await runtime.spawn(Account, name="account")
        await ref.ask(Deposit(10))
        with pytest.raises(HandlerError):
            await ref.ask(Deposit(-1))
        await ref.ask(Deposit(5))
    assert (await replay(Account, tmp_path, address="account")).actor.balance == 15


async def test_a_handler_that_fails_now_is_named(tmp_path: Path) -> None:
    """Then the actor does not depend on its messages alone."""
    await live(tmp_path)
    with pytest.raises(ReplayError, match="beyond the limit") as caught:
        await replay(lambda: Account(0, 1), tmp_path, address="account")
    assert isinstance(caught.value.cause, ValueError)


async def test_a_handler_that_hangs_is_bounded(tmp_path: Path) -> None:
    """A replay ends, also where nobody answers any more."""
    await live(tmp_path)
    with pytest.raises(ReplayError, match="Wait"):
        await replay(lambda: Account(0, 500), tmp_path, address="account", timeout=0.05)


async def test_an_address_without_messages_is_a_fresh_actor(tmp_path: Path) -> None:
    """Nothing happened to it."""
    await live(tmp_path)
    again = await replay(Account, tmp_path, address="nobody")
    assert (again.actor.balance, again.replies) == (0, ())


async def test_timers_never_fire(tmp_path: Path) -> None:
    """Time does not pass in a replay, for children neither."""
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        assert await (await runtime.spawn(Parent, name="parent")).ask(Audit()) > 0
    again = await replay(Parent, tmp_path, address="parent")
    assert [reply.value for reply in again.replies] == [0]
