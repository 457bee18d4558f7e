"""A short walk through an installed callboard, for environments that have nothing else.

Run as a file, outside of the checkout; prints `smoke: ok` at its end.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import anyio
from pydantic import BaseModel

from callboard.agents import Agent
from callboard.backends import RandomBackend, Request, default_stack
from callboard.runtime import Actor, Message, Runtime


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


class Counter(Actor):
    def __init__(self, start: int = 0) -> None:
        self.total = start

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total


class Verdict(BaseModel):
    good: bool


async def main() -> None:
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, 10, name="counter")
        assert await counter.ask(Add(5), timeout=5.0) == 15
    async with default_stack(RandomBackend(seed=1)) as backend:
        completion = await backend.generate(Request("Is it good?", output=Verdict))
        assert isinstance(completion.parsed, Verdict)
        answer = await Agent("critic", backend=backend, output=Verdict).run("Is it good?")
        assert isinstance(answer.output, Verdict)


def command_line() -> None:
    callboard = Path(sys.executable).with_name("callboard")
    shown = subprocess.run([callboard, "--version"], capture_output=True, text=True, check=True)
    assert version("callboard") in shown.stdout
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        quick = ["demo", "--periods", "1", "--quotes", "40", "--output", str(page)]
        subprocess.run([callboard, *quick], check=True, cwd=folder)
        assert page.stat().st_size > 1_000


if __name__ == "__main__":
    import callboard.agents

    here = Path(callboard.agents.__file__)
    assert Path(sys.prefix) in here.parents, f"imported from {here}, not from the environment"
    anyio.run(main)
    command_line()
    print("smoke: ok")
