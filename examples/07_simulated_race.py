"""Find a race by exploring schedules, repeat it from its seed, and see that the repair holds."""

from dataclasses import dataclass

import anyio

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.simulation import explore, simulate


@dataclass(frozen=True, slots=True)
class Reserve(Message[bool]):
    seat: str


class BoxOffice(Actor):
    def __init__(self) -> None:
        self.free = {"A1"}

    @Reserve.handler(reentrant=True)  # beside others: and that is the bug
    async def reserve(self, message: Reserve) -> bool:
        if message.seat not in self.free:
            return False
        await anyio.sleep(0.01)  # the payment
        self.free.discard(message.seat)
        return True


class PatientBoxOffice(BoxOffice):
    @Reserve.handler  # one after the other
    async def reserve(self, message: Reserve) -> bool:
        return await super().reserve(message)


async def sell(kind: type[BoxOffice]) -> None:
    sold: list[bool] = []
    async with Runtime() as runtime:
        office = await runtime.spawn(kind, name="office")

        async def customer() -> None:
            sold.append(await office.ask(Reserve("A1")))

        async with anyio.create_task_group() as group:
            group.start_soon(customer)
            await anyio.sleep(0.01)  # the second one comes just as the first has paid
            group.start_soon(customer)
    assert sold.count(True) == 1, f"one seat, sold {sold.count(True)} times"


report = explore(sell, BoxOffice, seeds=200)
print(report)  # with the line that repeats it, and a chart of what happened

found = report.failures[0].report
try:
    simulate(sell, BoxOffice, seed=found.seed, policy=found.policy)
except AssertionError as error:
    print(f"\nagain: {error}")

print(f"\nrepaired: {explore(sell, PatientBoxOffice, seeds=200)}")
