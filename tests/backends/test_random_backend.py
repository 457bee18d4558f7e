"""RandomBackend: the same seed, the same answers, whoever else is asking."""

import pickle
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from callboard.backends import (
    CapabilityError,
    Delta,
    RandomBackend,
    Request,
    ResponseFormat,
    Tool,
    ToolMessage,
    UserMessage,
)

pytestmark = pytest.mark.anyio


class Quote(BaseModel):
    price: int = Field(ge=1, le=200)


def quotes(depth: Annotated[int, Field(ge=1, le=3)]) -> None:
    """Look."""


def other() -> None:
    """Look elsewhere."""


def asked(caller: str = "", **options: Any) -> Request[Any]:
    return Request("go", metadata={"caller": caller}, **options)


async def draws(backend: RandomBackend, *callers: str) -> dict[str, list[str]]:
    """Ask once for each name, and return what each caller got."""
    found: dict[str, list[str]] = {}
    for caller in callers:
        completion = await backend.generate(asked(caller, output=Quote))
        found.setdefault(caller, []).append(completion.text)
    return found


@pytest.mark.parametrize("order", ["aaabbb", "ababab", "bbbaaa", "abbaab", "aaazzzbbb"])
async def test_interleaving_never_changes_a_callers_draws(order: str) -> None:
    """Nor does somebody new."""
    expected = await draws(RandomBackend(5), *"aaabbb")
    found = await draws(RandomBackend(5), *order)
    assert {caller: found[caller] for caller in "ab"} == expected


async def test_callers_and_seeds_differ() -> None:
    """Each has a sequence of its own."""
    one, other = (
        await draws(RandomBackend(1), *"aaaaabbbbb"),
        await draws(RandomBackend(2), *"aaaaa"),
    )
    assert len({tuple(one["a"]), tuple(one["b"]), tuple(other["a"])}) == 3


async def test_the_draws_are_pinned() -> None:
    """A seed written down today gives the same market next year."""
    assert await draws(RandomBackend(0), *"aaaa") == {"a": PINNED}


PINNED = ['{"price":177}', '{"price":96}', '{"price":6}', '{"price":139}']


async def test_words_where_no_schema_is_asked_for() -> None:
    """Nonsense, counted by the estimate, and streamed."""
    seen: list[Delta] = []

    async def sink(delta: Delta) -> None:
        seen.append(delta)

    completion = await RandomBackend().generate(asked(), sink)
    assert "".join(delta.text for delta in seen) == completion.text
    assert completion.text.replace(" ", "").isalpha()
    assert completion.usage.output == -(-len(completion.text) // 4)
    assert completion.model == "random"


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
async def test_tools_are_called_at_their_rate(rate: float) -> None:
    """With arguments that fit, and ids that repeat with the seed."""
    backend = RandomBackend(3, tool_rate=rate)
    calls = 0
    for _ in range(400):
        message = (await backend.generate(asked(tools=[quotes]))).message
        calls += len(message.tool_calls)
        assert all(
            call.arguments in ('{"depth":1}', '{"depth":2}', '{"depth":3}')
            for call in message.tool_calls
        )
    assert abs(calls / 400 - rate) < 0.08


@pytest.mark.parametrize(
    ("choice", "names"), [("none", set()), ("required", {"quotes", "other"}), ("other", {"other"})]
)
async def test_tool_choice_is_obeyed(choice: str, names: set[str]) -> None:
    """Whatever the rate."""
    backend = RandomBackend(tool_rate=0.5)
    found = set()
    for _ in range(40):
        message = (await backend.generate(asked(tools=[quotes, other], tool_choice=choice))).message
        assert bool(message.tool_calls) == bool(names)
        found |= {call.name for call in message.tool_calls}
    assert found == names


async def test_a_tools_result_is_answered() -> None:
    """With text, or the output, and no further call."""
    messages = [UserMessage("go"), ToolMessage("3", "c")]
    backend = RandomBackend(tool_rate=1.0)
    completion = await backend.generate(Request(messages, tools=[quotes]))
    assert not completion.message.tool_calls


async def test_a_response_format_alone_is_answered() -> None:
    """By its schema, or by any object."""
    backend = RandomBackend()
    form = ResponseFormat(kind="json_schema", schema={"type": "object", "properties": {}})
    assert (await backend.generate(asked().replaced(response_format=form))).text == "{}"
    form = ResponseFormat(kind="json_object")
    assert (await backend.generate(asked().replaced(response_format=form))).text.startswith("{")


async def test_what_can_not_be_drawn_is_an_error() -> None:
    """It names the tool, and says what to do."""
    wild = Tool(name="wild", parameters={"not": {}})
    with pytest.raises(CapabilityError, match=r"the tool 'wild'.*FunctionBackend"):
        await RandomBackend().generate(asked(tools=[wild], tool_choice="required"))
    with pytest.raises(CapabilityError, match="offers only quotes"):
        await RandomBackend().generate(asked(tools=[quotes], tool_choice="ghost"))


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_is_a_probability(rate: float) -> None:
    """At the earliest moment."""
    with pytest.raises(ValueError, match="tool_rate"):
        RandomBackend(tool_rate=rate)


async def test_it_pickles_and_goes_on() -> None:
    """A copy continues where the original was."""
    backend = RandomBackend(4)
    await draws(backend, "a")
    copy = pickle.loads(pickle.dumps(backend))
    assert await draws(copy, "a") == await draws(backend, "a")


@given(st.text(st.characters()) | st.just("\ud800"), st.integers())
def test_any_caller_and_any_seed_will_do(caller: str, seed: int) -> None:
    """Unpaired surrogates, separators and enormous seeds included."""
    from callboard.backends.random_backend import _source

    assert _source(seed, caller, 0).random() == _source(seed, caller, 0).random()
