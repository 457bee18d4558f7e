"""A program that dies: it asks and tells, and says on stdout what was acknowledged.

Arguments: folder, event loop, "honest" or "control", and the number of the system call at which it
kills itself (a write is then cut in two), or -1 to go on until it is killed.
"""

import os
import signal
import sys
from dataclasses import dataclass
from typing import Any

import anyio

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.journal import Journal, writer

FOLDER, LOOP, MODE, KILL_AT = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int
    padding: str = "x" * 50


class Counter(Actor):
    @Add.handler
    async def add(self, message: Add) -> int:
        return message.n


class HastyJournal(Journal):
    """The control: it acknowledges what is still on its way to the disk."""

    def notify(self, slot: Any) -> None:
        slot.set_result(None)


class Killer:
    """Counts system calls of the writer, and dies at one of them."""

    def __init__(self) -> None:
        self.calls = 0
        self.write, self.fsync, self.sync = os.write, os.fsync, writer.sync_data

    def install(self) -> None:
        writer.os.write = self.cut_write  # type: ignore[attr-defined]
        writer.os.fsync = lambda file: (self.count(), self.fsync(file))  # type: ignore[attr-defined]
        writer.sync_data = lambda file: (self.count(), self.sync(file))  # type: ignore[assignment]

    def count(self) -> None:
        self.calls += 1
        if self.calls > KILL_AT:
            os.kill(os.getpid(), signal.SIGKILL)

    def cut_write(self, file: int, data: Any) -> int:
        if file <= 2:
            return self.write(file, data)
        if self.calls + 1 > KILL_AT:
            self.write(file, data[: len(data) * (KILL_AT % 7) // 7])
        self.count()
        return self.write(file, data)


def say(what: str, n: int) -> None:
    os.write(1, f"{what} {n}\n".encode())


async def main() -> None:
    kind = Journal if MODE == "honest" else HastyJournal
    journal = kind(FOLDER, segment_size=4000)
    async with Runtime(journal=journal) as runtime:
        counter = await runtime.spawn(Counter, name="counter")

        async def work(first: int) -> None:
            for n in range(first, first + 40 if KILL_AT >= 0 else sys.maxsize, 5):
                await counter.ask(Add(n))
                say("asked", n)
                await counter.tell(Add(-n))
                say("told", n)

        async with anyio.create_task_group() as group:
            for first in range(1, 6):
                group.start_soon(work, first)
    say("done", 0)


if KILL_AT >= 0:
    Killer().install()
if LOOP == "trio":
    anyio.run(main, backend="trio")
else:
    anyio.run(main, backend_options={"use_uvloop": LOOP == "uvloop"})
