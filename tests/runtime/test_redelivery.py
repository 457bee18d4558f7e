"""Redelivery: failed messages that come again, poison that does not; and other mailbox options."""

from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.runtime import (
    Actor,
    ActorRef,
    Down,
    HandlerError,
    MailboxOptions,
    Message,
    Runtime,
    Supervision,
    telemetry,
)

pytestmark = pytest.mark.anyio

PATIENT = Supervision(max_restarts=99)


@dataclass(frozen=True, slots=True)
class Try(Message[int]):
    """Fails so many times, then works."""

    failures: int
    name: str = ""


class Worker(Actor):
    def __init__(self, log: list[str], gate: anyio.Event | None = None) -> None:
        self.log = log
        self.gate = gate

    @Try.handler
    async def attempt(self, message: Try) -> int:
        if self.gate is not None:
            await self.gate.wait()
        await anyio.lowlevel.checkpoint()
        self.log.append(message.name)
        if self.log.count(message.name) <= message.failures:
            raise KeyError(message.name)
        return self.log.count(message.name)

    @Down.handler
    async def down(self, message: Down) -> None:
        self.log.append("down")


async def test_a_failed_message_comes_again_first() -> None:
    """A message that failed is handled by the next incarnation, before what waits behind it."""
    log: list[str] = []
    async with Runtime(supervision=PATIENT) as runtime:
        worker = await runtime.spawn(Worker, log, mailbox=MailboxOptions(redeliver=2))
        for message in (Try(2, "a"), Try(0, "b"), Try(1, "c")):
            await worker.tell(message)
        await runtime.settle()
        assert log == ["a", "a", "a", "b", "c", "c"]
        statistics = runtime.statistics()
        assert (statistics.handled, statistics.failed, statistics.redelivered) == (3, 0, 3)
        assert statistics.restarts == 3
        assert statistics.conserved


async def test_an_asker_waits_for_the_attempt_that_works() -> None:
    """Redelivery is invisible to the asker, except for the time it takes."""
    async with Runtime(supervision=PATIENT) as runtime:
        worker = await runtime.spawn(Worker, [], mailbox=MailboxOptions(redeliver=2))
        assert await worker.ask(Try(2, "a")) == 3


async def test_poison_is_quarantined() -> None:
    """A message that fails once too often becomes a dead letter; its asker gets the error."""
    log: list[str] = []
    async with Runtime(supervision=PATIENT) as runtime:
        worker = await runtime.spawn(Worker, log, mailbox=MailboxOptions(redeliver=2))
        with pytest.raises(HandlerError) as caught:
            await worker.ask(Try(99, "bad"))
        assert isinstance(caught.value.cause, KeyError)
        assert await worker.ask(Try(0, "good")) == 1
        assert log == ["bad"] * 3 + ["good"]
        (letter,) = runtime.dead_letters
        assert (letter.reason, letter.message) == ("poison", Try(99, "bad"))
        statistics = runtime.statistics()
        assert (statistics.handled, statistics.dead, statistics.failed) == (1, 1, 0)
        assert statistics.conserved


async def test_nobody_waits_for_a_poisoned_temporary_actor() -> None:
    """An actor that ends at its failure takes the message that would have come again with it."""
    async with Runtime() as runtime:
        worker = await runtime.spawn(
            Worker, [], mailbox=MailboxOptions(redeliver=5), restart="temporary"
        )
        await worker.tell(Try(99, "x"))
        assert (await runtime.watch(worker)).reason == "failed"
        assert runtime.dead_letters.by_reason() == {"stopped": 1}
        assert runtime.statistics().conserved


async def test_each_attempt_has_its_span() -> None:
    """A trace shows every attempt with its outcome."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with Runtime(supervision=PATIENT, tracer_provider=provider) as runtime:
        worker = await runtime.spawn(Worker, [], mailbox=MailboxOptions(redeliver=1))
        await worker.ask(Try(1, "a"))
    outcomes = [
        (span.attributes or {})[telemetry.MESSAGE_OUTCOME] for span in exporter.get_finished_spans()
    ]
    assert outcomes == ["redelivered", "handled"]


async def test_slow_consumers_are_named_once() -> None:
    """A mailbox that fills up is logged when it passes its threshold, not for every message."""
    gate = anyio.Event()
    with structlog.testing.capture_logs() as logs:
        async with Runtime() as runtime:
            slow = await runtime.spawn(Worker, [], gate, mailbox=MailboxOptions(warn_at=3))
            for _ in range(10):
                slow.tell_nowait(Try(0))
            numbers = runtime.mailbox(slow)
            assert (numbers.depth, numbers.high_water, numbers.dropped) == (10, 10, 0)
            gate.set()
    (entry,) = [entry for entry in logs if entry["event"] == "slow consumer"]
    assert (entry["waiting"], entry["latest"], entry["log_level"]) == (3, "Try", "warning")


async def test_priority_in_a_runtime() -> None:
    """What is rated higher is handled first."""
    log: list[str] = []
    gate = anyio.Event()
    options = MailboxOptions(priority=lambda message: int(message.name == "urgent"))
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, log, gate, mailbox=options)
        worker.tell_nowait(Try(0, "first"))
        await anyio.wait_all_tasks_blocked()
        for name in ("a", "urgent", "b", "urgent"):
            worker.tell_nowait(Try(0, name))
        gate.set()
    assert log == ["first", "urgent", "urgent", "a", "b"]


async def test_down_overtakes_a_backlog_but_not_last_words() -> None:
    """A watcher learns of an end before its backlog, and after what the ended one had told it."""

    @dataclass(frozen=True, slots=True)
    class Say(Message[None]):
        to: ActorRef

    class Ends(Actor):
        @Say.handler
        async def say(self, message: Say) -> None:
            await message.to.tell(Try(0, "last words"))
            await self.context.ref.stop()

    log: list[str] = []
    gate = anyio.Event()
    async with Runtime() as runtime:
        worker = await runtime.spawn(Worker, log, gate)
        ends = await runtime.spawn(Ends)
        watcher: Any = worker.endpoint
        watcher.watch(ends)
        for name in ("first", "second"):
            worker.tell_nowait(Try(0, name))
        await anyio.wait_all_tasks_blocked()
        await ends.tell(Say(worker))
        await runtime.watch(ends)
        worker.tell_nowait(Try(0, "third"))
        other = await runtime.spawn(Ends)
        watcher.watch(other)
        await other.stop()
        gate.set()
        await runtime.settle()
    assert log == ["first", "second", "last words", "down", "down", "third"]
