"""Actors exchange typed messages; a failure costs the state and not the address."""

from dataclasses import dataclass

import anyio
import structlog

from callboard.runtime import Actor, HandlerError, Message, Runtime


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    """Reply with the new total."""

    n: int


@dataclass(frozen=True, slots=True)
class Divide(Message[None]):
    by: int


class Counter(Actor):
    def __init__(self, start: int) -> None:
        self.total = start

    @Add.handler
    async def add(self, message: Add) -> int:
        self.total += message.n
        return self.total

    @Divide.handler
    async def divide(self, message: Divide) -> None:
        self.total //= message.by


async def main() -> None:
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, 10, name="counter")
        await counter.tell(Divide(2))  # returns at once
        total = await counter.ask(Add(1), timeout=2.0)  # type checkers know: int
        print(f"{counter.address}: 10 // 2 + 1 = {total}")
        try:
            await counter.ask(Divide(0))
        except HandlerError as error:
            print(f"the asker learns the cause: {error.cause}")
        print(f"started anew at {await counter.ask(Add(0))}, under the same address")
        print(runtime.tree())


structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # no log in this example
anyio.run(main)
