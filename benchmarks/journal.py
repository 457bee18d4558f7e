"""What a journal costs: records per second at batch sizes, and CPU per message, on and off.

    python benchmarks/journal.py [--quick] [--folder FOLDER] [--json FILE]

Choose a folder on the disk that you mean: /tmp may be memory, where a sync costs nothing. The raw
figures write one batch after the other and sync each; `sync` is the disk's own share. The figures
of the runtime are CPU time of the process, worker threads included, so waiting costs nothing there.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import anyio
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.journal import Journal
from callboard.runtime.journal.frame import encode_frame
from callboard.runtime.journal.record import accepted_payload
from callboard.runtime.journal.writer import SegmentWriter, sync_data

BODY = b'{"text":"%b"}' % (b"x" * 250)
"""Makes frames of about 420 bytes."""


@dataclass(frozen=True, slots=True)
class Note(Message[int]):
    text: str


class Keeper(Actor):
    @Note.handler
    async def note(self, message: Note) -> int:
        return len(message.text)


def raw(folder: Path, batch: int, count: int) -> float:
    """Return records per second that are framed, written and synced in batches of one size."""
    writer = SegmentWriter(folder, 64 << 20)
    started = time.perf_counter()
    for first in range(0, count, batch):
        frames = b"".join(
            encode_frame(
                accepted_payload(n, time.time_ns(), "desk/1", "till", "ask", "shop.Note", 1, BODY)
            )
            for n in range(first, first + batch)
        )
        writer.write(frames, batch)
    elapsed = time.perf_counter() - started
    writer.close()
    return count / elapsed


def sync_time(folder: Path) -> float:
    """Return the median seconds of one fdatasync after 420 new bytes."""
    times = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 420)
            started = time.perf_counter()
            sync_data(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times)


@dataclass(frozen=True, slots=True)
class Load:
    """A way of sending, with a number of senders at a time."""

    name: str
    senders: int
    ask: bool


LOADS = (Load("tell", 1, False), Load("ask", 100, True), Load("ask", 1000, True))


async def run(load: Load, count: int, journal: Journal | None) -> tuple[float, float]:
    """Return CPU microseconds per message, and messages per second."""
    async with Runtime(journal=journal) as runtime:
        keeper = await runtime.spawn(Keeper)
        message = Note("x" * 250)
        cpu, wall = time.process_time(), time.perf_counter()

        async def send() -> None:
            for _ in range(count // load.senders):
                await (keeper.ask(message) if load.ask else keeper.tell(message))

        async with anyio.create_task_group() as group:
            for _ in range(load.senders):
                group.start_soon(send)
        await runtime.settle()
        if journal is not None:
            await journal.synced()
        return (time.process_time() - cpu) / count * 1e6, count / (time.perf_counter() - wall)


def journals(load: Load, folder: Path) -> dict[str, Journal | None]:
    """Return the ways of keeping a journal that a load can bear."""
    ways: dict[str, Journal | None] = {
        "off": None,
        "on, nobody waits": Journal(folder / "fast", wait_for_disk=False, backlog_limit=1 << 30),
    }
    if load.senders > 1:
        ways["on, senders wait"] = Journal(folder / "safe")
    return ways


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer records, two rounds")
    parser.add_argument("--folder", type=Path, help="on the disk to measure")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="callboard-journal-", dir=options.folder))
    rounds, scale = (2, 0.2) if options.quick else (5, 1.0)
    try:
        results = measure(folder, rounds, scale)
    finally:
        shutil.rmtree(folder)
    show(results)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


def measure(folder: Path, rounds: int, scale: float) -> dict[str, object]:
    batches: dict[int, list[float]] = {}
    messages: dict[tuple[str, str], list[tuple[float, float]]] = {}
    fresh = iter(range(1_000_000))
    for _ in track(range(rounds), "measuring", console=Console(stderr=True), transient=True):
        for batch, count in ((1, 200), (100, 10_000), (1000, 50_000)):
            rate = raw(folder / f"raw-{next(fresh)}", batch, max(batch, int(count * scale)))
            batches.setdefault(batch, []).append(rate)
        for load in LOADS:
            for way, journal in journals(load, folder / f"run-{next(fresh)}").items():
                name = f"{load.name}, {load.senders} at a time"
                figures = anyio.run(run, load, int(10_000 * scale), journal)
                messages.setdefault((name, way), []).append(figures)
    return {
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            "cpus": os.cpu_count(),
            "sync_ms": round(sync_time(folder) * 1e3, 3),
        },
        "records_per_second": {str(b): round(statistics.median(r)) for b, r in batches.items()},
        "messages": [
            {
                "load": load,
                "journal": way,
                "cpu_us": round(statistics.median(cpu for cpu, _ in figures), 2),
                "per_second": round(statistics.median(rate for _, rate in figures)),
            }
            for (load, way), figures in messages.items()
        ],
    }


def show(results: dict[str, object]) -> None:
    console, environment = Console(), results["environment"]
    console.print(f"fdatasync of 420 bytes: {environment['sync_ms']} ms")
    table = Table("batch", "records/s", title="Framed, written, synced (420 bytes each)")
    for batch, rate in results["records_per_second"].items():
        table.add_row(batch, f"{rate:,}")
    console.print(table)
    table = Table("load", "journal", "CPU us", "messages/s", title="A message of 250 characters")
    for row in results["messages"]:
        table.add_row(row["load"], row["journal"], f"{row['cpu_us']:.2f}", f"{row['per_second']:,}")
    console.print(table)


if __name__ == "__main__":
    main()
