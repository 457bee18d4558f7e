"""Answers of a type: a pydantic model, a union, and what happens when a model gets it wrong.

The backends here are doubles, so that the example runs anywhere; put
`default_stack(OpenAIBackend("gpt-5"))` in their place, and the rest stays as it is.
"""

from typing import Literal

import anyio
from pydantic import BaseModel, Field

from callboard.backends import RandomBackend, Request, ScriptedBackend, stack
from callboard.backends.middleware.structured_output import StructuredOutput


class Quote(BaseModel):
    """A bid in a market where this trader may pay 20 at most."""

    price: int = Field(ge=1, le=20)
    side: Literal["buy"] = "buy"


async def main() -> None:
    # A seeded policy: it draws uniformly between the bounds of the schema.
    trader = stack(RandomBackend(seed=2), StructuredOutput())
    for name in ("ann", "bob"):
        request = Request("Your bid?", output=Quote, metadata={"caller": name})
        completion = await trader.generate(request)
        print(f"{name} bids {completion.parsed.price} ({completion.usage.total} tokens)")

    # A model that bids too much, is told so, and corrects itself.
    hasty = ScriptedBackend(['{"price": 99}', '{"price": 19}'])
    completion = await stack(hasty, StructuredOutput(repairs=1)).generate(
        Request("Your bid?", output=Quote)
    )
    print(
        f"\nhasty bids {completion.parsed.price} after {len(completion.steps)} calls; it was told:"
    )
    print(hasty.requests[1].messages[-1].content)

    # Any type will do, and type checkers know what comes back: `int | None` here.
    guess = await stack(ScriptedBackend([{"value": None}]), StructuredOutput()).generate(
        Request("How many traders are there?", output=int | None)
    )
    print("\nan unknown number is", guess.parsed)


if __name__ == "__main__":
    anyio.run(main)
