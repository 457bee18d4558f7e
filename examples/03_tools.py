"""Tools: functions that the model calls, run side by side, failures and all.

The backend is a script, so that the example runs anywhere; with a real one, the model decides.
"""

import time
from typing import Annotated

import anyio
from pydantic import Field

from callboard.backends import AssistantMessage, Request, ScriptedBackend, ToolCall, stack, tool
from callboard.backends.delta import Delta
from callboard.backends.middleware.tools import Tools


async def best_quotes(depth: Annotated[int, Field(ge=1, le=5)] = 1) -> dict[str, list[int]]:
    """Look at the order book.

    Args:
        depth: How many quotes of each side to show.
    """
    return {"bids": [98, 97, 95][:depth], "asks": [101, 102, 105][:depth]}


@tool(timeout=5.0)
def settle(trade: str) -> str:
    """Settle a trade; it blocks, and therefore runs in a thread."""
    time.sleep(0.01)
    return f"{trade} settled"


def call(number: int, name: str, arguments: str) -> ToolCall:
    return ToolCall(id=f"call_{number}", name=name, arguments=arguments)


async def show(delta: Delta) -> None:
    if delta.kind in ("tool_result", "reset"):
        print(f"  step {delta.step}: {delta.kind:<12} {delta.name or ''} {delta.text}")


async def main() -> None:
    wanted = (
        call(1, "best_quotes", '{"depth": 2}'),
        call(2, "best_quotes", '{"depth": 50}'),  # more than the schema allows
        call(3, "settle", '{"trade": "T1"}'),
    )
    backend = stack(ScriptedBackend([AssistantMessage(tool_calls=wanted), "Buy at 101."]), Tools())
    request = Request("What now?", tools=[best_quotes, settle])
    print("the model sees", [(each.name, each.description) for each in request.tools])
    completion = await backend.generate(request, show)
    print(f"after {len(completion.steps)} calls the model says: {completion.text}")


if __name__ == "__main__":
    anyio.run(main)
