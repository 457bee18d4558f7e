"""Two agents haggle: each is an actor with a conversation of its own, and answers with an Offer.

Their model here is a function, so that the example runs offline; any backend takes its place.
"""

import anyio
from pydantic import BaseModel

from callboard.agents import Agent, AgentRef
from callboard.backends import FunctionBackend, Request
from callboard.runtime import Runtime


class Offer(BaseModel):
    """What a haggler says, and the price that goes with it."""

    words: str
    price: int


def haggle(request: Request) -> Offer:
    """Move a third of the way to the other side's price, every time; that is our model."""
    opening, *_, last = [str(m.content) for m in request.messages if m.content]
    mine, theirs = int(opening.split()[-1]), int(last.split()[-1])
    rounds = sum(str(m.content).startswith("They say") for m in request.messages)
    price = mine + round((theirs - mine) * min(1, rounds / 3))
    return Offer(words="Done." if price == theirs else f"How about {price}?", price=price)


async def main() -> None:
    """Let them talk until one takes the other's price."""
    async with Runtime() as runtime:
        hagglers: list[AgentRef[Offer]] = []
        for name, price in (("seller", 120), ("buyer", 60)):
            instructions = f"You are the {name} of a bicycle. Open with {price}"
            backend = FunctionBackend(haggle)
            agent = Agent(name, backend=backend, instructions=instructions, output=Offer)
            hagglers.append(await agent.spawn(runtime, name=name))

        said = Offer(words="I would sell it for 120.", price=120)
        while said.words != "Done.":
            hagglers.reverse()
            answer = await hagglers[0].run(f"They say {said.price}", conversation="bicycle")
            said = answer.output
            print(f"{hagglers[0].address.name:>6}: {said.words}  ({answer.usage.total} tokens)")
        heard = await hagglers[0].conversation("bicycle")
        print(
            f"Sold for {said.price}; the {hagglers[0].address.name} heard {len(heard) // 2} offers."
        )


anyio.run(main)
