"""What type checkers infer about messages, handlers, spawn and ask."""

from dataclasses import dataclass
from typing import ClassVar, assert_type

from pydantic import BaseModel

from callboard.runtime import (
    Actor,
    ActorRef,
    Address,
    Down,
    MailboxOptions,
    Message,
    Runtime,
    Schedule,
    Supervision,
    Topic,
)


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True)
class Describe(Message[str | None]):
    default_timeout: ClassVar[float] = 3.0


class Quote(BaseModel, Message[None]):
    price: float


QUOTES = Topic("quotes", Quote)


class Counter(Actor):
    reply_errors: ClassVar = (ValueError,)

    def __init__(self, start: int = 0, label: str = "") -> None:
        self.total = start
        self.label = label

    async def on_start(self) -> None:
        self.context.subscribe(QUOTES)

    @Add.handler
    async def add(self, message: Add) -> int:
        return self.total + message.n

    @Describe.handler(reentrant=True)
    async def describe(self, message: Describe) -> str | None:
        return self.label or None

    @Quote.handler()
    async def quote(self, message: Quote) -> None:
        timer = self.context.schedule(1.0, Add(1))
        assert_type(timer, Schedule)
        assert_type(self.context.sender, ActorRef | None)

    @Down.handler
    async def down(self, message: Down) -> None:
        assert_type(message.address, Address)


class Desk(Actor):
    def __init__(self, counter: ActorRef) -> None:
        self.counter = counter

    @Add.handler
    async def add(self, message: Add) -> int:
        return await self.context.forward(self.counter, message)

    @Describe.handler
    async def describe(self, message: Describe) -> str:  # narrower than the message promises
        child = await self.context.spawn(Counter, 1, "child", name="child")
        return str(await child.ask(message))


def make_counter(label: str) -> Counter:
    return Counter(0, label)


async def main() -> None:
    async with Runtime(name="types", supervision=Supervision(max_restarts=1)) as runtime:
        assert_type(runtime, Runtime)
        counter = await runtime.spawn(Counter, 10, "ten", name="counter", restart="transient")
        assert_type(counter, ActorRef)
        await runtime.spawn(Counter)
        await runtime.spawn(Counter, 1, mailbox=MailboxOptions(4, "reject"))
        await runtime.spawn(make_counter, "made", supervision=Supervision("one_for_one"))
        assert_type(await counter.ask(Add(5), timeout=2.0), int)
        assert_type(await counter.ask(Describe()), str | None)
        assert_type(await counter.ask(Quote(price=1.0)), None)
        assert_type(await Counter().add(Add(1)), int)
        assert_type(await runtime.publish(QUOTES, Quote(price=2.0)), int)
        assert_type(await runtime.watch(counter), Down)
        await counter.tell(Add(1))
        counter.tell_nowait(Add(1))
