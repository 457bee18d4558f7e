"""What reaches for the world outside is refused, with the line and with what to use instead."""
# ruff: noqa: PLW0108, ASYNC251  names have to be looked up inside of the simulation, which refuses

import asyncio
import concurrent.futures
import multiprocessing
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import pytest

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.simulation import RefusedError, simulate


async def in_executor() -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        pool.submit(int)


async def blocked_queue() -> None:
    queue.Queue[int]().get()


async def read_descriptor() -> None:
    asyncio.get_running_loop().add_reader(0, print)


async def handle_signal() -> None:
    with anyio.open_signal_receiver(signal.SIGUSR1):
        pass


def called(function: Callable[[], Any]) -> Callable[[], Awaitable[None]]:
    async def program() -> None:
        function()

    return program


REFUSED: dict[str, tuple[Callable[[], Awaitable[Any]], str, str]] = {
    "sleep": (called(lambda: time.sleep(0.1)), "time.sleep", "anyio.sleep"),
    "thread": (called(lambda: threading.Thread(target=int).start()), "Thread.start", "to_thread"),
    "executor": (in_executor, "Thread.start", "to_thread"),
    "event": (called(lambda: threading.Event().wait()), "Condition.wait", "anyio.Event"),
    "queue": (blocked_queue, "Condition.wait", "stream"),
    "select": (called(lambda: select.select([], [], [], 0)), "select.select", "anyio.Event"),
    "socket": (called(lambda: socket.socket()), "socket.socket", "Cassette"),
    "name": (
        called(lambda: socket.getaddrinfo("localhost", 80)),
        "socket.getaddrinfo",
        "FunctionBackend",
    ),
    "connect": (lambda: anyio.connect_tcp("127.0.0.1", 9), "", "FunctionBackend"),
    "listen": (lambda: anyio.create_tcp_listener(local_port=0), "", "stream"),
    "process": (lambda: anyio.run_process(["true"]), "subprocess_exec", "plain function"),
    "popen": (called(lambda: subprocess.Popen(["true"])), "subprocess.Popen", "plain function"),
    "system": (called(lambda: os.system("true")), "os.system", "plain function"),
    "fork": (called(lambda: os.fork()), "os.fork", "plain function"),
    "spawn": (
        called(lambda: multiprocessing.get_context("spawn").Process(target=int).start()),
        "",
        "plain function",
    ),
    "reader": (read_descriptor, "add_reader", "stream"),
    "signal": (handle_signal, "add_signal_handler", "handler"),
    "input": (called(lambda: input()), "builtins.input", "argument"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_by_name(what: str) -> None:
    """The error says what, where, and what to use instead."""
    program, name, instead = REFUSED[what]
    with pytest.raises(RefusedError) as caught:
        simulate(program)
    assert name in caught.value.what
    assert instead in caught.value.instead
    assert "test_refusals.py:" in caught.value.culprit or what in ("connect", "listen", "process")
    assert caught.value.culprit in str(caught.value)


def test_an_import_by_name_is_refused_as_well() -> None:
    """`from time import sleep` in any module is covered."""
    from time import sleep

    globals()["early_sleep"] = sleep
    with pytest.raises(RefusedError, match=r"time.sleep at .*test_refusals.py"):
        simulate(called(lambda: globals()["early_sleep"](1)))


def test_catching_the_refusal_does_not_help() -> None:
    """A library that hides it would make the run something else than it seems."""

    async def program() -> None:
        try:
            time.sleep(1)
        except Exception:
            await anyio.sleep(1)

    with pytest.raises(RefusedError):
        simulate(program)


def test_supervision_does_not_hide_a_refusal() -> None:
    """A handler that reaches outside ends the run; it is not restarted."""

    class Say(Message[None]):
        pass

    class Sleeper(Actor):
        @Say.handler
        async def say(self, message: Say) -> None:
            time.sleep(1)

    async def program() -> None:
        async with Runtime() as runtime:
            sleeper = await runtime.spawn(Sleeper)
            await sleeper.tell(Say())
            await runtime.settle()

    with pytest.raises(RefusedError, match=r"test_refusals.py:\d+ in .*Sleeper.say"):
        simulate(program)


def test_outside_of_a_simulation_all_of_it_works() -> None:
    """Control: what is refused inside is untouched after a run."""
    simulate(anyio.sleep, 1.0)
    seen: list[int] = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    event = threading.Event()
    event.wait(0.001)
    time.sleep(0.001)
    left, right = socket.socketpair()
    left.close()
    right.close()
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0
    assert seen == [1]


def test_files_may_be_read(tmp_path: Any) -> None:
    """Control: a file is there in every run, so it is not refused."""
    (tmp_path / "note").write_text("hello")

    async def program() -> str:
        return await anyio.Path(tmp_path / "note").read_text()

    assert simulate(program).result == "hello"
