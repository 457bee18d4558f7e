"""The journal of a running runtime: whole lives, waits for the disk, refusals, disk errors."""

import errno
import threading
from collections import Counter as Tally
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

from callboard.runtime import (
    Actor,
    ActorRef,
    AskTimeoutError,
    HandlerError,
    JournalRefusedError,
    JournalTimeoutError,
    MailboxOptions,
    Message,
    Runtime,
    Supervision,
    Topic,
)
from callboard.runtime.journal import (
    AcceptedRecord,
    FateRecord,
    Journal,
    JournalClosedError,
    JournalLockedError,
    JournalReader,
    JournalWriteError,
    Life,
    SessionRecord,
    lives,
    writer,
)
from callboard.runtime.journal.segment import segments

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Fail(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Refuse(Message[None]):
    pass


@dataclass(frozen=True, slots=True)
class Beside(Message[int]):
    pass


@dataclass(frozen=True, slots=True)
class Introduce(Message[None]):
    ref: ActorRef


TOPIC = Topic("sums", Add)


class Counter(Actor):
    reply_errors = (LookupError,)

    def __init__(self) -> None:
        self.total = 0

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Fail.handler
    async def fail(self, message: Fail) -> None:
        raise ValueError("a secret")

    @Refuse.handler
    async def refuse(self, message: Refuse) -> None:
        raise KeyError("no")

    @Beside.handler(reentrant=True)
    async def beside(self, message: Beside) -> int:
        await anyio.lowlevel.checkpoint()
        return 1


class SlowDisk:
    """A disk that syncs when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.open = threading.Event()
        self.busy = threading.Event()
        self.syncs = 0
        monkeypatch.setattr(writer, "sync_data", self.sync)

    def sync(self, _: int) -> None:
        self.syncs += 1
        self.busy.set()
        assert self.open.wait(30)


def read(path: Path) -> list[Life]:
    return list(lives(JournalReader(path)))


async def test_each_life_is_told(tmp_path: Path) -> None:
    """Accepted, started and ended: whoever sent what to whom, and what became of it."""
    async with Runtime(name="shop", journal=Journal(tmp_path)) as runtime:
        counter = await runtime.spawn(Counter, name="counter")
        assert await counter.ask(Add(5)) == 5
        with pytest.raises(KeyError):
            await counter.ask(Refuse())
        with pytest.raises(HandlerError):
            await counter.ask(Fail())
        await counter.tell(Beside())
        await runtime.settle()
        await counter.stop()
        await counter.tell(Add(6))
        assert runtime.statistics().conserved
    told = [
        (life.accepted.message.rpartition(".")[2], life.accepted.kind, life.outcome)
        for life in read(tmp_path)
    ]
    assert told == [
        ("Add", "ask", "handled"),
        ("Refuse", "ask", "handled"),
        ("Fail", "ask", "failed"),
        ("Beside", "tell", "handled"),
        ("Add", "tell", "dead"),
    ]
    first, refused, failed, _, dead = read(tmp_path)
    assert first.accepted.body == {"n": 5}
    assert (first.accepted.recipient, first.accepted.sender) == ("counter", None)
    assert first.started is not None
    assert first.ended is not None
    assert first.accepted.time <= first.started.time <= first.ended.time
    assert refused.ended is not None
    assert refused.ended.error == "KeyError"
    assert failed.ended is not None
    assert failed.ended.error == "ValueError"
    assert dead.ended is not None
    assert (dead.ended.reason, dead.started) == ("stopped", None)
    assert b"a secret" not in b"".join(path.read_bytes() for path in segments(tmp_path))


async def test_sessions_begin_and_end(tmp_path: Path) -> None:
    """A journal is continued by the next runtime."""
    for name in ("one", "two"):
        async with Runtime(name=name, journal=Journal(tmp_path)):
            pass
    records = list(JournalReader(tmp_path))
    assert [record.sequence for record in records] == [0, 1, 2, 3]
    assert [
        (record.event, record.runtime) for record in records if isinstance(record, SessionRecord)
    ] == [
        ("opened", "one"),
        ("closed", "one"),
        ("opened", "two"),
        ("closed", "two"),
    ]


@pytest.mark.parametrize("overflow", ["block", "reject", "drop_oldest", "drop_newest"])
async def test_records_follow_the_statistics(tmp_path: Path, overflow: Any) -> None:
    """Through every way in and out of a mailbox, the journal counts as the runtime does."""
    journal = Journal(tmp_path, wait_for_disk=False)
    supervision = Supervision(max_restarts=1000)
    runtime = Runtime(journal=journal, shutdown_timeout=0, supervision=supervision)
    async with runtime:
        options = MailboxOptions(2, overflow)
        refs = [await runtime.spawn(Counter, mailbox=options, name=f"c{i}") for i in range(3)]
        for ref in refs:
            runtime.subscribe(TOPIC, ref)

        async def send(i: int) -> None:
            for message in (Add(i), Beside(), Fail(), Refuse(), Add(-i)):
                with anyio.move_on_after(5):
                    try:
                        await refs[i % 3].tell(message)
                        await runtime.publish(TOPIC, Add(1))
                        refs[(i + 1) % 3].tell_nowait(Add(7))
                        await refs[(i + 2) % 3].ask(message)
                    except Exception:
                        continue

        async with anyio.create_task_group() as group:
            for i in range(6):
                group.start_soon(send, i)
        await runtime.stop(timeout=0)
        numbers = runtime.statistics()
    assert numbers.conserved
    records = list(JournalReader(tmp_path))
    ends = Tally(record.event for record in records if isinstance(record, FateRecord))
    assert sum(isinstance(record, AcceptedRecord) for record in records) == numbers.accepted
    assert (ends["handled"], ends["failed"], ends["dead"]) == (
        numbers.handled,
        numbers.failed,
        numbers.dead,
    )
    assert all(life.outcome != "unfinished" for life in read(tmp_path))


async def test_redelivery_is_told(tmp_path: Path) -> None:
    """A message that failed and was handled once more still has one end."""
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        ref = await runtime.spawn(Counter, mailbox=MailboxOptions(redeliver=1))
        await ref.tell(Fail())
        await runtime.settle()
    events = [record.event for record in JournalReader(tmp_path) if isinstance(record, FateRecord)]
    assert events == ["started", "redelivered", "started", "dead"]
    [life] = read(tmp_path)
    assert life.ended is not None
    assert life.ended.reason == "poison"


async def test_senders_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the disk syncs nobody is told that it is done; then everybody is."""
    disk = SlowDisk(monkeypatch)
    done: list[str] = []
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        counter = await runtime.spawn(Counter)
        runtime.subscribe(TOPIC, counter)

        async def send(name: str, call: Any) -> None:
            await call
            done.append(name)

        async with anyio.create_task_group() as group:
            group.start_soon(send, "ask", counter.ask(Add(1)))
            group.start_soon(send, "tell", counter.tell(Add(1)))
            group.start_soon(send, "publish", runtime.publish(TOPIC, Add(1)))
            assert await anyio.to_thread.run_sync(disk.busy.wait, 10)
            await runtime.settle()
            assert done == []
            disk.open.set()
        assert sorted(done) == ["ask", "publish", "tell"]


async def test_nobody_waits_for_the_disk_unless_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without wait_for_disk only `synced` waits."""
    disk = SlowDisk(monkeypatch)
    journal = Journal(tmp_path, wait_for_disk=False)
    async with Runtime(journal=journal) as runtime:
        counter = await runtime.spawn(Counter)
        assert await counter.ask(Add(1)) == 1
        assert journal.durable == -1
        disk.open.set()
        await journal.synced()
        assert journal.durable == 3  # opened, accepted, started, handled


async def test_a_slow_disk_ends_no_later_than_the_deadline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An ask never outlives its deadline, and a tell has a timeout, whatever the disk does."""
    disk = SlowDisk(monkeypatch)
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        counter = await runtime.spawn(Counter)
        with pytest.raises(AskTimeoutError, match="unsynced"):
            await counter.ask(Add(1), timeout=0.05)
        with pytest.raises(JournalTimeoutError, match="accepted"):
            await counter.tell(Add(1), timeout=0.05)
        disk.open.set()
    assert [life.outcome for life in read(tmp_path)] == ["handled", "handled"]


async def test_a_cancelled_wait_leaves_the_journal_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for the disk may be cancelled; the others are not."""
    disk = SlowDisk(monkeypatch)
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        counter = await runtime.spawn(Counter)
        async with anyio.create_task_group() as group:
            group.start_soon(counter.tell, Add(1))
            with anyio.move_on_after(0.02):
                await counter.tell(Add(2))
            disk.open.set()
    assert sorted(life.accepted.body["n"] for life in read(tmp_path)) == [1, 2]


async def test_many_senders_share_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Group commit: what comes in while one batch syncs is the next batch."""
    disk = SlowDisk(monkeypatch)
    disk.open.set()
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        counter = await runtime.spawn(Counter)
        async with anyio.create_task_group() as group:
            for i in range(200):
                group.start_soon(counter.ask, Add(i))
    assert disk.syncs < 20


async def test_what_has_no_json_form_is_refused(tmp_path: Path) -> None:
    """The sender is told before anything is sent, without a word of what the message says."""
    async with Runtime(journal=Journal(tmp_path, message_limit=20)) as runtime:
        counter = await runtime.spawn(Counter)
        wrong: Any = "sk-secret"
        for message in (Introduce(counter), Add(wrong), Add(10**30)):
            for send in (counter.ask, counter.tell):
                with pytest.raises(JournalRefusedError) as caught:
                    await send(message)
                assert "sk-secret" not in str(caught.value)
            with pytest.raises(JournalRefusedError):
                counter.tell_nowait(message)
        runtime.subscribe(TOPIC, counter)
        assert await runtime.publish(TOPIC, Add(wrong)) == 0
        assert runtime.dead_letters.by_reason() == {"not_journalled": 1}
        numbers = runtime.statistics()
        assert (numbers.accepted, numbers.rejected, numbers.conserved) == (1, 9, True)
        assert await counter.ask(Add(1)) == 1


class Clock(Actor):
    async def on_start(self) -> None:
        self.context.schedule(0, Introduce(self.context.ref))


async def test_a_refused_timer_costs_a_dead_letter(tmp_path: Path) -> None:
    """Nobody could be told, so it is counted."""
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        await runtime.spawn(Clock)
        died = anyio.Event()
        runtime.dead_letters.observe(lambda letter: died.set())
        with anyio.fail_after(10):
            await died.wait()
        assert runtime.dead_letters.by_reason() == {"not_journalled": 1}


async def test_a_backlog_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is too far behind, messages are refused instead of filling the memory."""
    disk = SlowDisk(monkeypatch)
    journal = Journal(tmp_path, wait_for_disk=False, backlog_limit=2000)
    async with Runtime(journal=journal) as runtime:
        counter = await runtime.spawn(Counter)
        with pytest.raises(JournalRefusedError, match="wait for the disk"):
            for i in range(100):
                counter.tell_nowait(Add(i))
        disk.open.set()
    assert 5 < len(read(tmp_path)) < 50


async def test_a_full_disk_ends_the_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is acknowledged that is not on the disk, and the error comes out plain."""
    acknowledged = []
    with pytest.raises(JournalWriteError, match="No space"):
        async with Runtime(journal=Journal(tmp_path)) as runtime:
            counter = await runtime.spawn(Counter)
            acknowledged.append(await counter.ask(Add(1)))

            def fail(_: int) -> None:
                raise OSError(errno.ENOSPC, "No space left on device")

            monkeypatch.setattr(writer, "sync_data", fail)
            try:
                acknowledged.append(await counter.ask(Add(1)))
            finally:
                monkeypatch.undo()
    assert acknowledged == [1]
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        await (await runtime.spawn(Counter)).ask(Add(5))


async def test_an_exception_in_the_block_is_recorded_to_its_end(tmp_path: Path) -> None:
    """The block fails, the actors end, the journal is closed in good order."""
    with pytest.raises(KeyError):
        async with Runtime(journal=Journal(tmp_path)) as runtime:
            await (await runtime.spawn(Counter)).tell(Add(1))
            raise KeyError("body")
    *_, last = JournalReader(tmp_path)
    assert isinstance(last, SessionRecord)
    assert last.event == "closed"


async def test_one_journal_one_runtime(tmp_path: Path) -> None:
    """A folder has one writer, and a Journal is opened once."""
    journal = Journal(tmp_path)
    with pytest.raises(JournalClosedError, match="not open"):
        await journal.synced()
    async with Runtime(journal=journal):
        with pytest.raises(JournalLockedError):
            async with Runtime(journal=Journal(tmp_path)):
                pass
    with pytest.raises(JournalClosedError, match="opened before"):
        async with Runtime(journal=journal):
            pass


async def test_a_torn_tail_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What a crash has torn is cut off, said and logged."""
    async with Runtime(journal=Journal(tmp_path)) as runtime:
        await (await runtime.spawn(Counter)).ask(Add(1))
    [segment] = segments(tmp_path)
    with segment.open("ab") as file:
        file.write(b"0000")
    journal = Journal(tmp_path)
    async with Runtime(journal=journal):
        assert journal.torn is not None
        assert (journal.torn.segment, journal.torn.lost) == (segment, 4)
    assert "torn tail" in caplog.text


async def test_segments_rotate_while_running(tmp_path: Path) -> None:
    """A long run is many files, and one journal."""
    async with Runtime(journal=Journal(tmp_path, segment_size=2000)) as runtime:
        counter = await runtime.spawn(Counter)
        for i in range(50):
            await counter.ask(Add(i))
    assert len(segments(tmp_path)) > 3
    assert [life.accepted.body["n"] for life in read(tmp_path)] == list(range(50))
