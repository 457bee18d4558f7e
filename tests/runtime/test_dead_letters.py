"""Dead letters are counted, kept within bounds, and observable."""

from dataclasses import dataclass

import pytest
import structlog

from callboard.runtime import Actor, DeadLetter, Message, Runtime

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Note(Message[None]):
    n: int


class Silent(Actor):
    pass


async def test_observer_hears_each_letter() -> None:
    """An observer is told of every letter until it ends its observation."""
    heard: list[DeadLetter] = []
    async with Runtime() as runtime:
        silent = await runtime.spawn(Silent, name="silent")
        forget = runtime.dead_letters.observe(heard.append)
        await silent.tell(Note(1))
        await runtime.settle()
        forget()
        await silent.tell(Note(2))
        await runtime.settle()
        assert len(runtime.dead_letters) == 2
    (letter,) = heard
    assert letter.message == Note(1)
    assert letter.recipient == silent.address
    assert (letter.sender, letter.kind, letter.reason) == (None, "tell", "unhandled")


async def test_failing_observer_disturbs_nobody() -> None:
    """What an observer raises is logged; other observers and the actors go on."""
    heard: list[DeadLetter] = []

    def broken(letter: DeadLetter) -> None:
        raise OSError("disk full")

    with structlog.testing.capture_logs() as logs:
        async with Runtime() as runtime:
            runtime.dead_letters.observe(broken)
            runtime.dead_letters.observe(heard.append)
            silent = await runtime.spawn(Silent)
            for n in range(3):
                await silent.tell(Note(n))
            await runtime.settle()
    assert len(heard) == 3
    assert "disk full" in logs[0]["error"]
