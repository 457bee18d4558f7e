"""A supervised pool: workers that fail start anew, and every question gets an outcome."""

import logging
from dataclasses import dataclass

import anyio

from callboard.runtime import Actor, Answered, Message, Runtime, Topic, ask_all


@dataclass(frozen=True, slots=True)
class Square(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Tick(Message[None]):
    """What the clock tells everybody who listens."""

    at: int


TICKS = Topic("ticks", Tick)


class Worker(Actor):
    async def on_start(self) -> None:
        self.ticks: list[int] = []
        self.context.subscribe(TICKS)

    @Square.handler
    async def square(self, message: Square) -> int:
        if message.n == 13:
            raise ValueError("an unlucky number")  # supervision starts this worker anew
        return message.n**2

    @Tick.handler
    async def tick(self, message: Tick) -> None:
        self.ticks.append(message.at)


async def main() -> None:
    logging.disable(logging.ERROR)  # the failure below is on purpose
    async with Runtime() as runtime:
        pool = [await runtime.spawn(Worker, name=f"worker-{i}") for i in range(4)]
        outcomes = await ask_all(pool, [Square(n) for n in (3, 13, 5, 7)], timeout=5.0)
        for ref, outcome in zip(pool, outcomes, strict=True):
            shown = outcome.value if isinstance(outcome, Answered) else outcome.error
            print(f"{ref.address.name}: {shown}")
        print("after its restart:", await pool[1].ask(Square(4)))
        print("told:", await runtime.publish(TICKS, Tick(1)))
        print(runtime.tree())


if __name__ == "__main__":
    anyio.run(main)
