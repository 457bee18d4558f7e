"""Journals of version 1 stay readable, for ever: golden files, and what they have to say.

golden/version-1 was written by the first version of the format: two sessions of a runtime "shop",
three segments, every event, the second session killed. Never write it anew.
"""

import shutil
from collections import Counter as Tally
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from callboard.runtime import Actor, Message
from callboard.runtime.journal import (
    AcceptedRecord,
    Body,
    FateRecord,
    JournalReader,
    SessionRecord,
    Upcasters,
    lives,
    replay,
)
from callboard.runtime.journal.segment import segments
from callboard.runtime.journal.writer import SegmentWriter
from callboard.runtime.message import qualified_name

GOLDEN = Path(__file__).parent / "golden" / "version-1"


@dataclass(frozen=True, slots=True)
class Purchase(Message[int]):
    """What `shop.orders.Order(n, note)` has become."""

    schema_version: ClassVar[int] = 2
    amount: int


@dataclass(frozen=True, slots=True)
class Again(Message[None]):
    """What `shop.orders.Retry` has become."""


class Till(Actor):
    def __init__(self) -> None:
        self.total = 0

    @Purchase.handler
    async def purchase(self, message: Purchase) -> int:
        self.total += message.amount
        return self.total

    @Again.handler
    async def again(self, message: Again) -> None:
        pass


def test_every_record_of_version_1_is_understood() -> None:
    """Nothing is missing, nothing has changed its meaning."""
    records = list(JournalReader(GOLDEN))
    assert [record.sequence for record in records] == list(range(45))
    assert Tally(getattr(record, "event", "accepted") for record in records) == {
        "opened": 2,
        "closed": 1,
        "accepted": 15,
        "started": 13,
        "handled": 10,
        "failed": 1,
        "dead": 2,
        "redelivered": 1,
    }
    assert records[0] == SessionRecord(
        sequence=0, time=1763683200000000000, event="opened", runtime="shop"
    )
    assert records[3] == AcceptedRecord(
        sequence=3,
        time=1763683200004500000,
        recipient="till",
        sender="desk",
        kind="ask",
        message="shop.orders.Order",
        version=1,
        body={"n": 5, "note": "Grüße\n☃"},
    )
    assert records[4] == FateRecord(sequence=4, time=1763683200006000000, event="started", of=3)


def test_its_lives_are_as_they_were() -> None:
    """Outcomes, reasons, errors; what the crash interrupted is unfinished."""
    told = list(lives(JournalReader(GOLDEN)))
    assert Tally(life.outcome for life in told) == {
        "handled": 10,
        "failed": 1,
        "dead": 2,
        "unfinished": 2,
    }
    ends = [life.ended for life in told if life.ended and life.outcome != "handled"]
    assert [end.error or end.reason for end in ends] == ["LookupError", "unhandled", "stopped"]


@pytest.mark.anyio
async def test_an_actor_of_today_runs_from_it() -> None:
    """Through an upcaster and a new name."""
    upcasters = Upcasters()
    upcasters.rename("shop.orders.Order", qualified_name(Purchase))
    upcasters.rename("shop.orders.Retry", qualified_name(Again))

    @upcasters.register(qualified_name(Purchase), version=1)
    def _(body: Body) -> Body:
        return {"amount": body["n"]}

    again = await replay(Till, GOLDEN, address="till", upcasters=upcasters)
    assert again.actor.total == 5 + sum(range(6)) + 100
    assert [reply.value for reply in again.replies] == [5, 5, 6, 8, 11, 15, 20, 120, None]


def test_it_can_be_continued(tmp_path: Path) -> None:
    """A writer of today appends to it."""
    for path in segments(GOLDEN):
        shutil.copyfile(path, tmp_path / path.name)
    writer = SegmentWriter(tmp_path, 1 << 20)
    assert (writer.next, writer.torn) == (45, None)
    writer.close()
