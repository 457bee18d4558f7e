"""A runtime inside a larger program: signals, forks, blocked loops, pickles."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
import structlog

from callboard.runtime import (
    Actor,
    ActorRef,
    Backoff,
    ForkedError,
    MailboxOptions,
    Message,
    Runtime,
    Supervision,
)

PROGRAM = Path(__file__).parent / "signalled.py"


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Block(Message[None]):
    secret: str = "hunter2"


class Counter(Actor):
    def __init__(self, start: int = 0) -> None:
        self.total = start

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Block.handler
    async def block(self, message: Block) -> None:
        time.sleep(0.5)  # noqa: ASYNC251  that is the point


class Program:
    """The program in signalled.py, seen from the outside."""

    def __init__(self, loop: str, scenario: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), loop, scenario],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "working\n"

    def end(self) -> tuple[int, str]:
        output, _ = self.process.communicate(timeout=30)
        return self.process.returncode, " ".join(output.split())


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
@pytest.mark.parametrize(
    ("number", "output", "code"),
    [
        (signal.SIGINT, "worked stopped interrupted", 130),
        (signal.SIGTERM, "worked stopped", 143),
    ],
)
def test_the_first_signal_is_graceful(loop: str, number: int, output: str, code: int) -> None:
    """What is being handled is finished, hooks run, and the exit code tells of the signal."""
    program = Program(loop, "short")
    program.process.send_signal(number)
    assert program.end() == (code, output)


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
def test_the_second_signal_is_hard(loop: str) -> None:
    """Impatience cancels the handlers; hooks still run."""
    program = Program(loop, "long")
    program.process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # two signals at once would be one
    program.process.send_signal(signal.SIGINT)
    assert program.end() == (130, "stopped interrupted")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop", "trio"])
def test_a_blocked_loop_is_interrupted_by_the_second_signal(loop: str) -> None:
    """A handler that never awaits can't keep the program from ending."""
    program = Program(loop, "block")
    program.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    program.process.send_signal(signal.SIGINT)
    assert program.end() == (130, "stopped interrupted")


@pytest.mark.anyio
async def test_handlers_of_signals_are_put_back() -> None:
    """After the runtime, signals do what they did before."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with Runtime(signals=True):
        assert signal.getsignal(signal.SIGTERM) != before[1]
    after = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert after == before


def test_signals_want_the_main_thread() -> None:
    """Elsewhere no signal ever arrives, so asking for them is refused."""

    async def enter() -> None:
        async with Runtime(signals=True):
            pass

    async def main() -> None:
        with pytest.raises(RuntimeError, match="main thread"):
            await anyio.to_thread.run_sync(anyio.run, enter)

    anyio.run(main)


def in_fork(work: Callable[[], Any]) -> Any:
    """Return what a forked child returns or raises."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            result = work()
        except BaseException as error:
            result = error
        sender.send(result)
        os._exit(0)
    os.waitpid(child, 0)
    return receiver.recv()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.anyio
@pytest.mark.parametrize("how", ["ask", "tell", "tell_nowait", "stop"])
async def test_a_fork_is_noticed(how: str) -> None:
    """A child that uses its parent's actors is told so, instead of waiting for ever."""

    def use() -> None:
        arguments = () if how == "stop" else (Add(1),)
        result = getattr(counter, how)(*arguments)
        if result is not None:
            result.send(None)

    async with Runtime(name="house") as runtime:
        counter: ActorRef = await runtime.spawn(Counter)
        error = in_fork(use)
        assert isinstance(error, ForkedError), error
        assert (error.runtime, error.parent) == ("house", os.getpid())
        assert error.child != os.getpid()
        assert await counter.ask(Add(1)) == 1


@pytest.mark.anyio
async def test_a_blocked_loop_is_reported() -> None:
    """The watchdog names actor, message and line, once, while the loop is still blocked."""
    with structlog.testing.capture_logs() as logs:
        async with Runtime(watchdog=0.1) as runtime:
            counter = await runtime.spawn(Counter, name="counter")
            await counter.ask(Block())
            await counter.ask(Add(1))
    (entry,) = [entry for entry in logs if entry["event"] == "event loop blocked"]
    assert entry["message"] == "Block"
    assert entry["seconds"] >= 0.1
    assert "Counter.block" in entry["at"]
    assert Path(__file__).name in entry["at"]
    assert "hunter2" not in str(entry)


@pytest.mark.anyio
async def test_the_watchdog_is_quiet_about_good_handlers() -> None:
    """Whoever awaits blocks nobody."""
    with structlog.testing.capture_logs() as logs:
        async with Runtime(watchdog=0.2) as runtime:
            counter = await runtime.spawn(Counter)
            for _ in range(10):
                await counter.ask(Add(1))
                await anyio.sleep(0.02)
    assert [entry for entry in logs if entry["event"] == "event loop blocked"] == []


@pytest.mark.parametrize(
    "thing",
    [
        Add(3),
        Counter,
        MailboxOptions(capacity=3, redeliver=1),
        Supervision("one_for_all", backoff=Backoff()),
        ForkedError("main", 1, 2),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_messages_and_factories_pickle(thing: Any) -> None:
    """What describes actors and messages can travel to another process."""
    copy = pickle.loads(pickle.dumps(thing))
    assert copy == thing or str(copy) == str(thing)


def spawn_elsewhere(factory: type[Counter], start: int, message: Add) -> int:
    """Run an actor in this process that another one has described."""

    async def main() -> int:
        async with Runtime() as runtime:
            counter = await runtime.spawn(factory, start)
            return await counter.ask(message)

    return anyio.run(main)


def test_a_pickled_factory_makes_actors() -> None:
    """Factory, arguments and message make the trip, and work at the other end."""
    factory, start, message = pickle.loads(pickle.dumps((Counter, 10, Add(5))))
    assert spawn_elsewhere(factory, start, message) == 15
