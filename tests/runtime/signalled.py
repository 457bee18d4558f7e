"""A program that a test sends signals to: signalled.py LOOP SCENARIO."""

import sys
import time
from dataclasses import dataclass

import anyio

from callboard.runtime import Actor, Message, Runtime


@dataclass(frozen=True, slots=True)
class Work(Message[None]):
    seconds: float


@dataclass(frozen=True, slots=True)
class Block(Message[None]):
    pass


def say(word: str) -> None:
    print(word, flush=True)


class Worker(Actor):
    @Work.handler
    async def work(self, message: Work) -> None:
        say("working")
        await anyio.sleep(message.seconds)
        say("worked")

    @Block.handler
    async def block(self, message: Block) -> None:
        say("working")
        time.sleep(60)  # noqa: ASYNC251  that is the point

    async def on_stop(self) -> None:
        say("stopped")


async def main(scenario: str) -> None:
    async with Runtime(signals=True, shutdown_timeout=60) as runtime:
        worker = await runtime.spawn(Worker)
        message = {"short": Work(0.3), "long": Work(60), "block": Block()}[scenario]
        await worker.tell(message)
        await anyio.sleep(60)


if __name__ == "__main__":
    loop, scenario = sys.argv[1:]
    backend = "trio" if loop == "trio" else "asyncio"
    options = {"use_uvloop": True} if loop == "uvloop" else {}
    try:
        anyio.run(main, scenario, backend=backend, backend_options=options)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
