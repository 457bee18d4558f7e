"""What type checkers infer from an output type, and accept of doubles and tools."""

from dataclasses import dataclass
from typing import Any, Literal, assert_type

from callboard.backends import (
    Backend,
    Completion,
    FunctionBackend,
    Middleware,
    RandomBackend,
    Request,
    ScriptedBackend,
    Stack,
    Tool,
    stack,
    stream,
    tool,
)
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.tools import Tools


@dataclass(frozen=True)
class Quote:
    price: int


def search(query: str) -> str:
    return query


@tool
def found(query: str) -> str:
    return query


@tool(name="look", timeout=5.0)
async def look(query: str) -> str:
    return query


async def infer(backend: Backend) -> None:
    assert_type(Request("hi"), Request[None])
    assert_type(Request("hi", output=Quote), Request[Quote])
    assert_type((await backend.generate(Request("hi"))).parsed, None)
    assert_type((await backend.generate(Request("hi", output=None))).parsed, None)
    assert_type((await backend.generate(Request("hi", output=Quote))).parsed, Quote)
    assert_type((await backend.generate(Request("hi", output=int | None))).parsed, int | None)
    assert_type((await backend.generate(Request("hi", output=list[Quote]))).parsed, list[Quote])
    word = (await backend.generate(Request("hi", output=Literal["a", "b"]))).parsed
    assert_type(word, Literal["a", "b"])


async def through_a_stack() -> None:
    whole = stack(RandomBackend(seed=3, tool_rate=0.5), Tools(4), StructuredOutput(2))
    assert_type(whole, Stack)
    completion = await whole.generate(Request("hi", output=Quote, tools=[search, found, look]))
    assert_type(completion, Completion[Quote])
    async with stream(whole, Request("hi", output=Quote)) as deltas:
        async for delta in deltas:
            assert_type(delta.step, int)
    assert_type(deltas.completion.parsed, Quote)


async def doubles() -> None:
    async def answer(request: Request[Any]) -> str:
        return str(len(request.messages))

    backends: list[Backend] = [
        ScriptedBackend(["text", {"a": 1}, ValueError, answer, 3]),
        FunctionBackend(answer),
        FunctionBackend(lambda request: {"n": len(request.messages)}),
        RandomBackend(),
    ]
    for backend in backends:
        await backend.aclose()


def parts() -> None:
    assert_type(found, Tool)
    assert_type(look, Tool)
    layers: list[Middleware] = [Tools(), StructuredOutput(modes=("json_object", "prompt"))]
    stack(RandomBackend(), *layers)
