"""ScriptedBackend and FunctionBackend: what they answer, record, stream and refuse."""

import itertools
from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from callboard.backends import (
    AssistantMessage,
    Backend,
    Completion,
    Delta,
    FunctionBackend,
    RandomBackend,
    RateLimitError,
    Request,
    ScriptedBackend,
    ScriptExhaustedError,
    ToolCall,
    stream,
)

pytestmark = pytest.mark.anyio


class Quote(BaseModel):
    price: int


@dataclass
class Point:
    x: int


def search(query: str) -> str:
    """Search."""
    return query


async def test_a_script_is_answered_in_order() -> None:
    """Text, values, messages and completions each become a completion."""
    whole = Completion(message=AssistantMessage("whole"), model="mine")
    answers = ["text", {"a": [1]}, Quote(price=3), Point(4), 5, AssistantMessage("hi"), whole]
    backend = ScriptedBackend(answers)
    completions = [await backend.generate(Request("go")) for _ in answers]
    assert [c.text for c in completions] == [
        "text", '{"a":[1]}', '{"price":3}', '{"x":4}', "5", "hi", "whole",
    ]  # fmt: skip
    assert [c.model for c in completions] == ["scripted"] * 6 + ["mine"]
    assert all(len(c.steps) == 1 and c.steps[0].message is c.message for c in completions)


async def test_a_script_records_its_requests() -> None:
    """Every request is kept, oldest first, also one that fails."""
    backend = ScriptedBackend([ValueError("no"), "b"])
    first, second = Request("1"), Request("2")
    with pytest.raises(ValueError, match="no"):
        await backend.generate(first)
    await backend.generate(second)
    assert backend.requests == [first, second]


async def test_a_script_raises_its_exceptions() -> None:
    """Instances and classes of exceptions are raised."""
    backend = ScriptedBackend([RateLimitError("slow", retry_after=2.0), KeyError])
    with pytest.raises(RateLimitError) as caught:
        await backend.generate(Request("x"))
    assert caught.value.retry_after == 2.0
    with pytest.raises(KeyError):
        await backend.generate(Request("x"))


async def test_a_script_calls_its_functions() -> None:
    """A function of the request, sync or async, may return any answer, an exception included."""

    async def later(request: Request) -> object:
        return {"n": len(request.messages)}

    backend = ScriptedBackend([later, lambda request: ValueError("inner")])
    assert (await backend.generate(Request(["a", "b"]))).text == '{"n":2}'
    with pytest.raises(ValueError, match="inner"):
        await backend.generate(Request("x"))


async def test_a_script_that_runs_out_says_so() -> None:
    """The error says how many answers there were and which call this is."""
    backend = ScriptedBackend(["only"])
    await backend.generate(Request("x"))
    with pytest.raises(ScriptExhaustedError, match="has 1 answers, and this is call 2"):
        await backend.generate(Request("x"))


async def test_a_script_may_be_endless() -> None:
    """Any iterable is a script."""
    backend = ScriptedBackend(itertools.repeat("yes"))
    assert [(await backend.generate(Request("x"))).text for _ in range(3)] == ["yes"] * 3


async def test_an_answer_that_is_no_json_is_refused() -> None:
    """The error names the type."""
    with pytest.raises(TypeError, match="got object"):
        await ScriptedBackend([object()]).generate(Request("x"))
    with pytest.raises(TypeError, match="got ModelMetaclass"):
        await ScriptedBackend([Quote]).generate(Request("x"))


async def test_answers_are_streamed_in_pieces() -> None:
    """The pieces of reasoning, text and tool calls add up to the message."""
    call = ToolCall(id="c1", name="search", arguments='{"query": "what is it?"}')
    message = AssistantMessage("Hello, dear world!\n", (call,), reasoning="let me think")
    seen: list[Delta] = []
    async with stream(ScriptedBackend([message]), Request("x")) as deltas:
        async for delta in deltas:
            seen.append(delta)

    def joined(kind: str) -> str:
        return "".join(delta.text for delta in seen if delta.kind == kind)

    assert joined("text") == message.content
    assert joined("reasoning") == message.reasoning
    assert joined("tool_call") == call.arguments
    assert next(d for d in seen if d.kind == "tool_call").name == "search"
    assert len(seen) > 10
    assert deltas.completion.finish_reason == "tool_calls"


@pytest.mark.parametrize("function", [lambda r: r.messages[0].content, None])
async def test_a_function_answers(function: object) -> None:
    """Sync and async functions both answer, and the model's name is the function's."""

    async def echo(request: Request) -> str:
        return request.messages[0].content  # type: ignore[return-value]  # a UserMessage of text

    backend = FunctionBackend(function or echo)  # type: ignore[arg-type]  # one of two
    completion = await backend.generate(Request("ping"))
    assert completion.text == "ping"
    assert completion.model == ("<lambda>" if function else "echo")
    assert completion.usage.input == 4 + 1
    assert completion.usage.output == 1


async def test_a_functions_exception_comes_out_as_it_is() -> None:
    """Nothing is wrapped."""

    def fail(request: Request) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await FunctionBackend(fail).generate(Request("x"))


@pytest.mark.parametrize("backend", [ScriptedBackend([]), FunctionBackend(str), RandomBackend()])
async def test_doubles_are_backends(backend: Backend) -> None:
    """They satisfy the protocol, claim structured outputs and tools, and close twice."""
    assert isinstance(backend, Backend)
    assert backend.capabilities.structured == ("json_schema", "json_object", "prompt")
    assert backend.capabilities.tools == "yes"
    await backend.aclose()
    await backend.aclose()
    assert repr(backend).startswith("<")
