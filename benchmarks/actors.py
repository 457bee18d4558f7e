"""What a message costs: callboard's actors against raw anyio and raw asyncio, in one run.

    python benchmarks/actors.py              # every loop, five rounds, about half a minute
    python benchmarks/actors.py --quick      # fewer messages and rounds, about ten seconds
    python benchmarks/actors.py --json FILE  # write the figures as well

Figures are microseconds of CPU time (`time.process_time`) per operation. In each round the
contenders for one operation share an event loop and take turns in short slices, in random order, so
that whatever else the machine does hits all of them; a ratio is the median over the rounds of the
ratio within a round. Only ratios mean anything on a shared machine.

- ask: one round trip, the timeout included. The reference (1.00x) is `send_nowait` into an anyio
  stream and a reply by asyncio's Future, without any timeout; on trio, which has no Future, the
  reply comes by `anyio.Event` ("portable").
- tell: from the send to the end of the handler. publish: one delivery to one of 100 subscribers.
- ring: one hop around 1,000 actors, each of which tells the next.
- memory: resident bytes per idle actor, fresh and after one message, in processes of their own.
"""

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anyio
import anyio.lowlevel
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callboard.runtime import Actor, ActorRef, Message, Runtime, Topic

INFINITE = float("inf")
RING = 1000
FAN = 100

Operation = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One way of doing one thing."""

    group: str
    name: str
    run: Operation
    count: int
    loops: tuple[str, ...]
    reference: bool = False
    slices: int = 3


CONTENDERS: list[Contender] = []
ALL = ("asyncio", "uvloop", "trio")
ASYNCIO = ("asyncio", "uvloop")


def contender(
    group: str,
    name: str,
    count: int,
    loops: tuple[str, ...] = ALL,
    *,
    reference: bool = False,
    slices: int = 3,
) -> Callable[[Operation], Operation]:
    """Register a function that does `n` operations."""

    def register(run: Operation) -> Operation:
        CONTENDERS.append(
            Contender(
                group=group,
                name=name,
                run=run,
                count=count,
                loops=loops,
                reference=reference,
                slices=slices,
            )
        )
        return run

    return register


@dataclass(frozen=True, slots=True)
class Ping(Message[int]):
    n: int


SPANS: list[float] = []
"""CPU seconds that a contender measured itself, without its preparation."""

TOPIC = Topic("pings", Ping)


class Echo(Actor):
    @Ping.handler
    async def ping(self, message: Ping) -> int:
        return message.n


class Node(Actor):
    """Tells the next in the ring, until the count is down to zero."""

    def __init__(self, done: anyio.Event) -> None:
        self.next: ActorRef | None = None
        self.done = done

    @Ping.handler
    async def ping(self, message: Ping) -> int:
        if not message.n or self.next is None:
            self.done.set()
        else:
            self.next.tell_nowait(Ping(message.n - 1))
        return 0


async def handle(message: Ping) -> int:
    return message.n


# Ask


@contender("ask", "raw anyio, Future", 10_000, ASYNCIO, reference=True)
async def raw_ask_future(n: int) -> None:
    send, receive = anyio.create_memory_object_stream[object](INFINITE)
    make_future = asyncio.get_running_loop().create_future

    async def actor() -> None:
        async for message, future in receive:
            future.set_result(await handle(message))

    async with anyio.create_task_group() as group:
        group.start_soon(actor)
        message = Ping(1)
        for _ in range(n):
            future = make_future()
            send.send_nowait((message, future))
            await future
        send.close()
    receive.close()


async def raw_ask_event(n: int) -> None:
    send, receive = anyio.create_memory_object_stream[object](INFINITE)

    async def actor() -> None:
        async for message, event, slot in receive:
            slot.append(await handle(message))
            event.set()

    async with anyio.create_task_group() as group:
        group.start_soon(actor)
        message = Ping(1)
        for _ in range(n):
            event, slot = anyio.Event(), []
            send.send_nowait((message, event, slot))
            await event.wait()
            slot[0]
        send.close()
    receive.close()


contender("ask", "raw anyio, Event (portable)", 10_000, ASYNCIO)(raw_ask_event)
contender("ask", "raw anyio, Event (portable)", 10_000, ("trio",), reference=True)(raw_ask_event)


@contender("ask", "raw asyncio.Queue, Future", 10_000, ASYNCIO)
async def raw_ask_queue(n: int) -> None:
    queue: asyncio.Queue[object] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    async def actor() -> None:
        while (item := await queue.get()) is not None:
            message, future = item
            future.set_result(await handle(message))

    task = asyncio.create_task(actor())
    message = Ping(1)
    for _ in range(n):
        future = loop.create_future()
        await queue.put((message, future))
        await future
    await queue.put(None)
    await task


@contender("ask", "callboard, timeout included", 10_000)
async def callboard_ask(n: int) -> None:
    async with Runtime() as runtime:
        echo = await runtime.spawn(Echo)
        started = time.process_time()
        message = Ping(1)
        for _ in range(n):
            await echo.ask(message, timeout=30.0)
        SPANS.append(time.process_time() - started)


@contender("ask", "callboard, among 10,000 actors", 10_000, slices=1)
async def callboard_ask_many(n: int) -> None:
    async with Runtime() as runtime:
        refs = [await runtime.spawn(Echo) for _ in range(10_000)]
        started = time.process_time()
        message = Ping(1)
        for i in range(n):
            await refs[i % 10_000].ask(message, timeout=30.0)
        SPANS.append(time.process_time() - started)


# Tell


@contender("tell", "raw anyio send_nowait", 20_000, reference=True)
async def raw_tell(n: int) -> None:
    send, receive = anyio.create_memory_object_stream[Ping](INFINITE)

    async def actor() -> None:
        async for message in receive:
            await handle(message)

    async with anyio.create_task_group() as group:
        group.start_soon(actor)
        message = Ping(1)
        for _ in range(n):
            send.send_nowait(message)
        send.close()
    receive.close()


@contender("tell", "raw anyio await send, 1024", 20_000)
async def raw_tell_bounded(n: int) -> None:
    send, receive = anyio.create_memory_object_stream[Ping](1024)

    async def actor() -> None:
        async for message in receive:
            await handle(message)

    async with anyio.create_task_group() as group:
        group.start_soon(actor)
        message = Ping(1)
        for _ in range(n):
            await send.send(message)
        send.close()
    receive.close()


@contender("tell", "callboard, bounded at 1024", 20_000)
async def callboard_tell(n: int) -> None:
    async with Runtime() as runtime:
        echo = await runtime.spawn(Echo)
        started = time.process_time()
        message = Ping(1)
        for _ in range(n):
            await echo.tell(message)
        await runtime.settle()
        SPANS.append(time.process_time() - started)


# Publish


@contender("publish to 100", "raw anyio send_nowait", 20_000, reference=True)
async def raw_publish(n: int) -> None:
    pairs = [anyio.create_memory_object_stream[Ping](INFINITE) for _ in range(FAN)]

    async def actor(receive: anyio.abc.ObjectReceiveStream[Ping]) -> None:
        async with receive:
            async for message in receive:
                await handle(message)

    async with anyio.create_task_group() as group:
        for _, receive in pairs:
            group.start_soon(actor, receive)
        message = Ping(1)
        for _ in range(n // FAN):
            for send, _ in pairs:
                send.send_nowait(message)
            await anyio.lowlevel.checkpoint()
        for send, _ in pairs:
            send.close()


@contender("publish to 100", "callboard", 20_000)
async def callboard_publish(n: int) -> None:
    async with Runtime() as runtime:
        for _ in range(FAN):
            runtime.subscribe(TOPIC, await runtime.spawn(Echo))
        message = Ping(1)
        for _ in range(n // FAN):
            await runtime.publish(TOPIC, message)
            await anyio.lowlevel.checkpoint()
        await runtime.settle()


# Ring


@contender("ring of 1,000", "raw anyio send_nowait", 10_000, reference=True)
async def raw_ring(n: int) -> None:
    pairs = [anyio.create_memory_object_stream[Ping](INFINITE) for _ in range(RING)]

    async def node(i: int) -> None:
        receive, send = pairs[i][1], pairs[(i + 1) % RING][0]
        async with receive:
            async for message in receive:
                if not message.n:
                    for other, _ in pairs:
                        other.close()
                    return
                send.send_nowait(Ping(message.n - 1))

    async with anyio.create_task_group() as group:
        for i in range(RING):
            group.start_soon(node, i)
        await anyio.lowlevel.checkpoint()
        started = time.process_time()
        pairs[0][0].send_nowait(Ping(n))
    SPANS.append(time.process_time() - started)


@contender("ring of 1,000", "callboard", 10_000)
async def callboard_ring(n: int) -> None:
    done = anyio.Event()
    nodes: list[Node] = []

    def make() -> Node:
        nodes.append(Node(done))
        return nodes[-1]

    async with Runtime() as runtime:
        refs = [await runtime.spawn(make) for _ in range(RING)]
        for i, node in enumerate(nodes):
            node.next = refs[(i + 1) % RING]
        started = time.process_time()
        await refs[0].tell(Ping(n))
        await done.wait()
        SPANS.append(time.process_time() - started)


# Memory, each in a process of its own


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def memory_raw_anyio(n: int, _touch: bool) -> float:
    keep = []

    async def actor(receive: anyio.abc.ObjectReceiveStream[Ping]) -> None:
        async for message in receive:
            await handle(message)

    async with anyio.create_task_group() as group:
        before = resident()
        for _ in range(n):
            send, receive = anyio.create_memory_object_stream[Ping](64)
            keep.append(send)
            group.start_soon(actor, receive)
        await anyio.sleep(0.1)
        used = (resident() - before) / n
        group.cancel_scope.cancel()
    return used


async def memory_callboard(n: int, touch: bool) -> float:
    async with Runtime() as runtime:
        await (await runtime.spawn(Echo)).ask(Ping(1))
        before = resident()
        refs = [await runtime.spawn(Echo) for _ in range(n)]
        if touch:
            for ref in refs:
                await ref.ask(Ping(1))
        return (resident() - before) / n


MEMORY = {
    "raw anyio task and stream": (memory_raw_anyio, 5_000, False),
    "callboard, fresh": (memory_callboard, 50_000, False),
    "callboard, after a message": (memory_callboard, 50_000, True),
}


def measure_memory(name: str) -> float:
    """Return bytes per actor, measured in a fresh process."""
    command = [sys.executable, __file__, "--memory-of", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return float(done.stdout.splitlines()[-1])


# The run


Figures = dict[tuple[str, str, str], list[float]]
"""Microseconds of CPU per operation, one figure a round, by operation, contender and loop."""


async def time_one(entry: Contender, n: int) -> float:
    """Return microseconds of CPU per operation."""
    SPANS.clear()
    gc.collect()
    started = time.process_time()
    await entry.run(n)
    total = time.process_time() - started
    return (SPANS[-1] if SPANS else total) / n * 1e6


async def one_round(entries: list[Contender], scale: float) -> dict[str, float]:
    """Let contenders take turns; return the median slice of each, by name."""
    slices: dict[str, list[float]] = {}
    turns = [entry for entry in entries for _ in range(entry.slices)]
    random.shuffle(turns)
    for entry in entries:
        if entry.slices > 1:
            await entry.run(200)
    for entry in turns:
        n = max(200, int(entry.count * scale) // entry.slices)
        slices.setdefault(entry.name, []).append(await time_one(entry, n))
    return {name: statistics.median(figures) for name, figures in slices.items()}


def run_on(loop: str, entries: list[Contender], scale: float) -> dict[str, float]:
    if loop == "trio":
        return anyio.run(one_round, entries, scale, backend="trio")
    options = {"use_uvloop": loop == "uvloop"}
    return anyio.run(one_round, entries, scale, backend_options=options)


def run_all(rounds: int, scale: float, only: str) -> Figures:
    figures: Figures = {}
    groups = {entry.group for entry in CONTENDERS if only in entry.group}
    plan = [(group, loop) for group in groups for loop in ALL for _ in range(rounds)]
    random.shuffle(plan)
    for group, loop in track(plan, "measuring", console=Console(stderr=True), transient=True):
        entries = [entry for entry in CONTENDERS if entry.group == group and loop in entry.loops]
        for name, figure in run_on(loop, entries, scale).items():
            figures.setdefault((group, name, loop), []).append(figure)
    return figures


def rows(figures: Figures) -> list[dict[str, object]]:
    base = {
        (entry.group, loop): figures[entry.group, entry.name, loop]
        for entry in CONTENDERS
        for loop in entry.loops
        if entry.reference and (entry.group, entry.name, loop) in figures
    }
    return [
        {
            "operation": group,
            "contender": name,
            "loop": loop,
            "cpu_us": round(statistics.median(values), 3),
            "ratio": round(
                statistics.median(
                    value / one for value, one in zip(values, base[group, loop], strict=True)
                ),
                2,
            ),
        }
        for (group, name, loop), values in figures.items()
    ]


def print_table(results: list[dict[str, object]]) -> None:
    table = Table("operation", "contender", title="CPU us per operation (ratio to the reference)")
    for loop in ALL:
        table.add_column(loop, justify="right")
    cells = {(r["operation"], r["contender"], r["loop"]): r for r in results}
    seen = dict.fromkeys((entry.group, entry.name) for entry in CONTENDERS)
    for group, name in seen:
        line = [cells.get((group, name, loop)) for loop in ALL]
        if any(line):
            table.add_row(
                group, name, *(f"{c['cpu_us']:.2f} ({c['ratio']:.2f}x)" if c else "" for c in line)
            )
    Console().print(table)


def print_memory(memory: dict[str, float]) -> None:
    table = Table("idle actor", "bytes", title="Memory")
    for name, size in memory.items():
        table.add_row(name, f"{size:,.0f}")
    Console().print(table)


def environment() -> dict[str, str]:
    names = ("anyio", "trio", "uvloop")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": str(os.cpu_count()),
        **{name: version(name) for name in names},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer messages, two rounds")
    parser.add_argument("--rounds", type=int, help="rounds (default: 5, quick: 2)")
    parser.add_argument("--only", default="", help="only operations whose name contains this")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory_of:
        function, n, touch = MEMORY[options.memory_of]
        print(anyio.run(function, n, touch))
        return
    figures = run_all(
        options.rounds or (2 if options.quick else 5), 0.3 if options.quick else 1.0, options.only
    )
    results = rows(figures)
    print_table(results)
    memory = {} if options.only else {name: measure_memory(name) for name in MEMORY}
    if memory:
        print_memory(memory)
    if options.json:
        report = {"environment": environment(), "cpu": results, "memory_bytes": memory}
        options.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
