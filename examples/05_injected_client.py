"""Somebody else's client behind our interface: a trainer's, a proxy's, or one of your own.

All that an injected client needs is `chat.completions.create`. This one answers without a network,
in the shape in which trainers hand out theirs: plain dicts, and a bare async generator for streams.
"""

from collections.abc import AsyncIterator
from typing import Any

import anyio

from callboard.backends import OpenAIBackend, Request, SamplingParams, stream


class PolicyClient:
    """Looks like an OpenAI client from where it matters, and keeps what it was asked."""

    def __init__(self) -> None:
        self.chat = self.completions = self
        self.seen: list[dict[str, Any]] = []

    async def create(self, **arguments: Any) -> Any:
        self.seen.append(arguments)
        words = arguments["messages"][-1]["content"].upper()
        if arguments.get("stream"):
            return self.pieces(words)
        message = {"role": "assistant", "content": words}
        return {"id": "rollout-1", "choices": [{"message": message, "finish_reason": "stop"}]}

    async def pieces(self, words: str) -> AsyncIterator[dict[str, Any]]:
        for word in words.split():
            yield {"choices": [{"index": 0, "delta": {"content": f"{word} "}}]}


async def main() -> None:
    client = PolicyClient()
    limits = SamplingParams(max_completion_tokens=32)
    backend = OpenAIBackend("policy", client=client, sampling=limits)

    completion = await backend.generate(Request("hello trainer"))
    print(f"{completion.id}: {completion.text}")

    async with stream(backend, Request("one piece at a time")) as deltas:
        async for delta in deltas:
            print(delta.text, end="")
    print(f"\nonly what was set is sent: {sorted(client.seen[0])}")


anyio.run(main)
