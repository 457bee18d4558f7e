"""The journal under many schedules: whoever goes first, it counts as the runtime does."""

from collections import Counter as Tally
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest

from callboard.runtime import Actor, ActorError, Message, Runtime, Supervision
from callboard.runtime.journal import FateRecord, Journal, JournalReader, lives
from callboard.runtime.simulation import simulate


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


class Counter(Actor):
    def __init__(self) -> None:
        self.total = 0

    @Add.handler
    async def add(self, message: Add) -> int:
        await anyio.lowlevel.checkpoint()
        self.total += message.n
        return self.total

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise ValueError


async def main(folder: str) -> None:
    """Ask, tell, fail and stop at once; compare what was acknowledged with what is kept."""
    acknowledged: list[int] = []
    terms = Supervision(max_restarts=100)
    async with Runtime(journal=Journal(folder), supervision=terms) as runtime:
        refs = [await runtime.spawn(Counter) for _ in range(2)]

        async def ask(n: int) -> None:
            try:
                await refs[n % 2].ask(Add(n), timeout=1)
                kept = {
                    life.accepted.body["n"]
                    for life in lives(JournalReader(folder))
                    if life.outcome == "handled" and life.accepted.body
                }
                assert n in kept
                acknowledged.append(n)
            except ActorError:
                pass

        async with anyio.create_task_group() as group:
            for n in range(4):
                group.start_soon(ask, n)
            group.start_soon(refs[0].tell, Fail())
            group.start_soon(refs[1].stop)
        await runtime.stop()
        numbers = runtime.statistics()
    records = list(JournalReader(folder))
    ends = Tally(record.event for record in records if isinstance(record, FateRecord))
    assert numbers.conserved
    counted = (numbers.handled, numbers.failed, numbers.dead)
    assert counted == (ends["handled"], ends["failed"], ends["dead"])
    assert len(acknowledged) >= 2 - numbers.failed


@pytest.mark.parametrize("policy", ["random", "pct"])
def test_what_is_acknowledged_is_kept_under_any_schedule(policy: str, tmp_path: Path) -> None:
    """Forty schedules each: a reply never comes before its record is in the file."""
    for seed in range(40):
        with TemporaryDirectory(dir=tmp_path) as folder:
            simulate(main, folder, seed=seed, policy=policy)
