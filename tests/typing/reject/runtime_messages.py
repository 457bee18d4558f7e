"""What type checkers must refuse about messages, handlers, spawn and ask."""

from dataclasses import dataclass

from callboard.runtime import Actor, MailboxOptions, Message, Runtime, Supervision, Topic


@dataclass(frozen=True, slots=True)
class Add(Message[int]):
    n: int


@dataclass(frozen=True, slots=True)
class Name(Message[str]):
    pass


ADDS = Topic("adds", Add)


class WrongReply(Actor):
    @Add.handler  # E
    async def add(self, message: Add) -> str:
        return str(message.n)


class WrongMessage(Actor):
    @Add.handler  # E
    async def add(self, message: Name) -> int:
        return 1


class NotAsync(Actor):
    @Add.handler  # E
    def add(self, message: Add) -> int:
        return message.n


class Counter(Actor):
    def __init__(self, start: int) -> None:
        self.total = start

    @Name.handler
    async def name(self, message: Name) -> str:
        await self.context.spawn(Counter, "one")  # E
        number: int = await self.context.forward(self.context.ref, message)  # E
        return str(number)


class NotAnActor:
    def __init__(self, start: int) -> None:
        self.total = start


async def main() -> None:
    async with Runtime() as runtime:
        counter = await runtime.spawn(Counter, 10)
        await runtime.spawn(Counter)  # E
        await runtime.spawn(Counter, "ten")  # E
        await runtime.spawn(Counter, 10, 11)  # E
        await runtime.spawn(NotAnActor, 10)  # E
        await runtime.spawn(Counter, 10, restart="sometimes")  # E
        text: str = await counter.ask(Add(5))  # E
        await counter.ask(5)  # E
        await counter.tell("hello")  # E
        await counter.ask(Add(5), 2.0)  # E
        await runtime.publish(ADDS, Name())  # E
        MailboxOptions(overflow="explode")  # E
        Supervision("all_for_one")  # E
        print(text)
