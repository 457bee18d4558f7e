"""Metrics: what is measured, under which names; and spans for a share of the messages."""

from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callboard.runtime import Actor, Message, Runtime, metrics
from callboard.runtime.telemetry import MESSAGE_OUTCOME, MESSAGE_TYPE

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Work(Message[int]):
    fails: bool = False


class Worker(Actor):
    def __init__(self, gate: anyio.Event) -> None:
        self.gate = gate

    @Work.handler
    async def work(self, message: Work) -> int:
        await self.gate.wait()
        if message.fails:
            raise KeyError("secret")
        return 1


def points(reader: InMemoryMetricReader, name: str) -> list[Any]:
    data = reader.get_metrics_data()
    if data is None:
        return []
    return [
        point
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
    ]


async def test_everything_is_measured() -> None:
    """Depths while messages wait; times, restarts and dead letters when they have been handled."""
    reader = InMemoryMetricReader()
    gate = anyio.Event()
    async with Runtime(meter_provider=MeterProvider([reader])) as runtime:
        worker = await runtime.spawn(Worker, gate)
        for fails in (False, True, False):
            worker.tell_nowait(Work(fails))
        await anyio.wait_all_tasks_blocked()
        (depth,) = points(reader, metrics.MAILBOX_DEPTH)
        assert (depth.value, dict(depth.attributes)) == (2, {metrics.ACTOR_TYPE: "Worker"})
        (actors,) = points(reader, metrics.ACTORS)
        assert actors.value == 1
        gate.set()
        await runtime.settle()
        await worker.stop()
        await worker.tell(Work())
        queue_times = points(reader, metrics.QUEUE_TIME)
        assert sum(point.count for point in queue_times) == 3
        durations = {p.attributes[MESSAGE_OUTCOME]: p for p in points(reader, metrics.DURATION)}
        assert {outcome: point.count for outcome, point in durations.items()} == {
            "handled": 2,
            "failed": 1,
        }
        assert dict(durations["failed"].attributes) == {
            MESSAGE_TYPE: "Work",
            MESSAGE_OUTCOME: "failed",
            metrics.ACTOR_TYPE: "Worker",
            "error.type": "KeyError",
        }
        assert [point.value for point in points(reader, metrics.RESTARTS)] == [1]
        (dead,) = points(reader, metrics.DEAD_LETTERS)
        assert (dead.value, dict(dead.attributes)) == (1, {metrics.DEAD_LETTER_REASON: "stopped"})
    assert points(reader, metrics.ACTORS) == []
    assert [point.value for point in points(reader, metrics.RESTARTS)] == [1]


async def test_a_share_of_the_messages_gets_spans() -> None:
    """Sampling picks about the share that was asked for, and leaves the rest alone."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    gate = anyio.Event()
    gate.set()
    async with Runtime(tracer_provider=provider, trace_messages=0.1) as runtime:
        worker = await runtime.spawn(Worker, gate)
        for _ in range(2000):
            await worker.tell(Work())
    # 200 are expected; a fair sample leaves these bounds once in 10 ** 13 runs
    assert 100 < len(exporter.get_finished_spans()) < 300


@pytest.mark.parametrize("share", [-0.1, 1.5])
async def test_an_impossible_share_is_refused(share: float) -> None:
    """A share lies between nothing and everything."""
    with pytest.raises(ValueError, match="share"):
        Runtime(trace_messages=share)


async def test_the_tree_shows_who_is_busy() -> None:
    """The drawing has a line per actor with state, mailbox and restarts."""
    gate = anyio.Event()

    class Parent(Worker):
        async def on_start(self) -> None:
            for name in ("one", "two"):
                await self.context.spawn(Worker, gate, name=name)

    async with Runtime(name="house") as runtime:
        parent = await runtime.spawn(Parent, gate, name="parent")
        await runtime.spawn(Worker, gate, name="other")
        for _ in range(3):
            parent.tell_nowait(Work())
        await anyio.wait_all_tasks_blocked()
        lines = str(runtime.tree()).splitlines()
        assert lines[0] == "house"
        assert lines[1].startswith("├── parent (Parent) running, queued 2 (oldest ")
        assert lines[1].endswith("most 3), active 1, restarts 0")
        assert lines[2:] == [
            "│   ├── one (Worker) running, queued 0, active 0, restarts 0",
            "│   └── two (Worker) running, queued 0, active 0, restarts 0",
            "└── other (Worker) running, queued 0, active 0, restarts 0",
        ]
        gate.set()
