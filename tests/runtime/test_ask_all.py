"""Asking many: every outcome, in order; one failure is nobody else's."""

from dataclasses import dataclass
from typing import ClassVar

import anyio
import pytest

from callboard.runtime import (
    Actor,
    ActorRef,
    ActorStoppedError,
    Answered,
    AskCycleError,
    AskTimeoutError,
    HandlerError,
    MailboxFullError,
    MailboxOptions,
    Message,
    Runtime,
    Unanswered,
    ask_all,
)

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Square(Message[int]):
    n: int
    seconds: float = 0.0
    cancel_with_asker: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Gather(Message[list[str]]):
    refs: tuple[ActorRef, ...]


class Squares(Actor):
    def __init__(self, ends: list[str] | None = None) -> None:
        self.ends = [] if ends is None else ends

    @Square.handler
    async def square(self, message: Square) -> int:
        try:
            await anyio.sleep(message.seconds)
        except anyio.get_cancelled_exc_class():
            self.ends.append("cancelled")
            raise
        if message.n < 0:
            raise ValueError("negative")
        return message.n**2

    @Gather.handler
    async def gather(self, message: Gather) -> list[str]:
        outcomes = await ask_all(message.refs, Square(3))
        return [
            str(outcome.value) if isinstance(outcome, Answered) else type(outcome.error).__name__
            for outcome in outcomes
        ]


async def test_outcomes_come_in_order() -> None:
    """Whoever answers first, the outcomes stand in the order of the references."""
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Squares) for _ in range(4)]
        messages = [Square(1, 0.02), Square(-1), Square(3, 0.01), Square(4)]
        outcomes = await ask_all(refs, messages)
        assert [outcome.ref for outcome in outcomes] == refs
        values = [o.value if isinstance(o, Answered) else type(o.error) for o in outcomes]
        assert values == [1, HandlerError, 9, 16]
        assert outcomes[2].result() == 9
        with pytest.raises(HandlerError):
            outcomes[1].result()
        assert await ask_all([], Square(1)) == []


async def test_every_kind_of_failure_is_an_outcome() -> None:
    """Asks that can't even be sent stand among the outcomes like those that fail later."""
    async with Runtime(shutdown_timeout=0) as runtime:
        fine, gone, slow = [await runtime.spawn(Squares) for _ in range(3)]
        full = await runtime.spawn(Squares, mailbox=MailboxOptions(1, "reject"))
        await gone.stop()
        full.tell_nowait(Square(1, 60))
        await anyio.wait_all_tasks_blocked()
        full.tell_nowait(Square(1, 60))
        messages = [Square(2), Square(2), Square(2, 60), Square(2)]
        outcomes = await ask_all([fine, gone, slow, full], messages, timeout=0.05)
        errors = [type(o.error) if isinstance(o, Unanswered) else None for o in outcomes]
        assert errors == [None, ActorStoppedError, AskTimeoutError, MailboxFullError]
        assert runtime.statistics().conserved


async def test_one_deadline_for_all() -> None:
    """It takes as long as the slowest, not as long as all of them."""
    async with Runtime(shutdown_timeout=0) as runtime:
        refs = [await runtime.spawn(Squares) for _ in range(20)]
        with anyio.fail_after(5):
            outcomes = await ask_all(refs, Square(2, 60), timeout=0.3)
        assert {type(o.error) for o in outcomes if isinstance(o, Unanswered)} == {AskTimeoutError}


async def test_cancelled_asker_gives_all_up() -> None:
    """Messages that are cancelled with their asker are, all of them."""
    ends: list[str] = []
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Squares, ends) for _ in range(3)]
        with anyio.move_on_after(0.02):
            await ask_all(refs, Square(1, 60))
        await runtime.settle()
        assert ends == ["cancelled"] * 3
        assert runtime.dead_letters.by_reason() == {"asker_cancelled": 3}
        assert runtime.statistics().conserved


async def test_a_cycle_is_one_outcome() -> None:
    """An actor that asks itself among others finds that out, and hears the others."""
    async with Runtime() as runtime:
        first, second = await runtime.spawn(Squares), await runtime.spawn(Squares)
        assert await first.ask(Gather((second, first))) == ["9", AskCycleError.__name__]


async def test_as_many_messages_as_references() -> None:
    """A message too few is a mistake of the caller, and leaves nobody waiting."""
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Squares) for _ in range(2)]
        with pytest.raises(ValueError, match="zip"):
            await ask_all(refs, [Square(1)])
        with pytest.raises(ValueError, match="finite"):
            await ask_all(refs, Square(1), timeout=-1)
        await runtime.settle()
        assert runtime.statistics().conserved
