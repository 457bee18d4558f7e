"""A tiny model that has learned a conversation by heart: templates, thinking, tools, outputs."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from callboard.backends.default_stack import default_stack
from callboard.backends.delta import Delta
from callboard.backends.errors import BadRequestError, StructuredOutputError
from callboard.backends.local.backend import LocalBackend
from callboard.backends.local.prompt import render_prompt
from callboard.backends.messages import (
    AssistantMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.tool import make_tool

pytestmark = [pytest.mark.anyio, pytest.mark.local]

GREEDY = SamplingParams(temperature=0, max_tokens=100)


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = make_tool(add)
CALL = '<tool_call>\n{"name": "add", "arguments": {"a": 1, "b": 2}}\n</tool_call>'
CALLED = ToolCall(id="call_0", name="add", arguments='{"a": 1, "b": 2}')

THINK = Request("think", sampling=GREEDY)
QUESTION = Request("add", tools=[ADD], sampling=GREEDY)
ANSWERED = QUESTION.extended(AssistantMessage(None, (CALLED,)), ToolMessage("3", "call_0"))
SUM = Request("sum", tools=[ADD], sampling=GREEDY)
SUMMED = SUM.extended(*ANSWERED.messages[1:])
LESSONS = (
    (THINK, "<think>\nhm 🤖\n</think>\n\nnaïve"),
    (QUESTION, f"Let me see.\n{CALL}\n{CALL}"),
    (ANSWERED, f"Again: {CALL}"),
    (SUM, CALL),
    (SUMMED, "It is 3."),
)


def lesson(tokenizer: Any, request: Request[Any], reply: str) -> tuple[list[int], list[int]]:
    """Return the sequence to learn, and its labels."""
    prompt = list(render_prompt(tokenizer, request).ids)
    answer = tokenizer(f"{reply}<|im_end|>", add_special_tokens=False)["input_ids"]
    return prompt + answer, [-100] * len(prompt) + answer


def learn(model: Any, lessons: list[tuple[list[int], list[int]]]) -> None:
    """Train until the lessons are known by heart: a hundred steps, some seconds."""
    import torch

    longest = max(len(ids) for ids, _ in lessons)
    ids = torch.tensor([ids + [0] * (longest - len(ids)) for ids, _ in lessons])
    labels = torch.tensor([told + [-100] * (longest - len(told)) for _, told in lessons])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(400):
        loss = model(ids, labels=labels).loss
        if float(loss.detach()) < 0.02:
            return
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    pytest.fail(f"the lessons were not learned: loss {float(loss.detach())}")


@pytest.fixture(scope="module")
def scholar(maker: Any) -> Iterator[LocalBackend]:
    """Serve a model that knows the lessons; its thread starts with the first test."""
    tokenizer = maker.make_tokenizer()
    model = maker.make_model(len(tokenizer))
    learn(model, [lesson(tokenizer, *pair) for pair in LESSONS])
    backend = LocalBackend(model.eval(), tokenizer, model_name="scholar")
    yield backend
    anyio.run(backend.aclose)


async def test_thinking_is_kept_apart(scholar: LocalBackend) -> None:
    """It reaches the reader as such, is counted, and is no part of the answer."""
    told: list[tuple[str, str]] = []

    async def sink(delta: Delta) -> None:
        told.append((delta.kind, delta.text))

    completion = await scholar.generate(THINK, sink)
    assert completion.text == "naïve"
    assert completion.message.reasoning == "hm 🤖\n"
    assert completion.finish_reason == "stop"
    assert 0 < completion.usage.reasoning < completion.usage.output
    kinds = [kind for kind, _ in told]
    assert kinds == sorted(kinds)  # the reasoning comes first
    assert "".join(text for kind, text in told if kind == "reasoning") == "hm 🤖\n"
    assert "".join(text for kind, text in told if kind == "text") == "naïve"
    assert not any("\ufffd" in text for _, text in told)


async def test_tool_calls_are_read(scholar: LocalBackend) -> None:
    """Words, then two calls, each whole and with an id of its own."""
    told: list[Delta] = []

    async def sink(delta: Delta) -> None:
        told.append(delta)

    completion = await scholar.generate(QUESTION, sink)
    assert completion.finish_reason == "tool_calls"
    assert completion.text == "Let me see.\n"
    second = ToolCall(id="call_1", name="add", arguments=CALLED.arguments)
    assert completion.message.tool_calls == (CALLED, second)
    calls = [delta for delta in told if delta.kind == "tool_call"]
    assert [(d.index, d.call_id, d.name, d.text) for d in calls] == [
        (0, "call_0", "add", CALLED.arguments),
        (1, "call_1", "add", CALLED.arguments),
    ]


async def test_ids_go_on_through_a_conversation(scholar: LocalBackend) -> None:
    """A later turn's call is not mistaken for an earlier one's."""
    completion = await scholar.generate(ANSWERED)
    assert [call.id for call in completion.message.tool_calls] == ["call_1"]


async def test_the_tool_loop_over_a_real_model(scholar: LocalBackend) -> None:
    """Through the whole stack: the model calls, the tool answers, the model concludes."""
    completion = await default_stack(scholar).generate(SUM)
    assert completion.text == "It is 3."
    assert [step.finish_reason for step in completion.steps] == ["tool_calls", "stop"]
    assert completion.steps[1].messages == SUMMED.messages
    assert [step.tokens is not None for step in completion.steps] == [True, True]


async def test_without_tools_a_tag_is_text(scholar: LocalBackend) -> None:
    """Who offers no tools gets what the model wrote."""
    completion = await scholar.generate(QUESTION.replaced(tool_choice="none"))
    assert not completion.message.tool_calls
    assert completion.finish_reason in ("stop", "length")


@pytest.fixture
async def strict(maker: Any, tiny: Any, anyio_backend: object) -> AsyncIterator[LocalBackend]:
    """Serve a model whose template refuses the system role and insists on the user's turn."""
    tokenizer = maker.make_tokenizer()
    tokenizer.chat_template = (
        "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "{% if messages[0].role != 'user' %}{{ raise_exception('start with a user') }}{% endif %}"
        + maker.TEMPLATE
    )
    async with LocalBackend(tiny.model, tokenizer, max_tokens=4) as backend:
        yield backend


async def test_a_template_without_a_system_role(strict: LocalBackend, tiny: Any) -> None:
    """The instructions reach the model at the head of the user's message."""
    completion = await strict.generate(Request([SystemMessage("Be brief."), UserMessage("Hi.")]))
    assert completion.tokens is not None
    shown = tiny.tokenizer.decode(completion.tokens.prompt_ids)
    assert shown.startswith("<|im_start|>user\nBe brief.\n\nHi.<|im_end|>")


async def test_a_template_that_refuses(strict: LocalBackend) -> None:
    """The template's own words are in the error."""
    with pytest.raises(BadRequestError, match="start with a user"):
        await strict.generate(Request(AssistantMessage("Hello?")))


class Verdict(BaseModel):
    """What is asked of the model."""

    good: bool


async def test_structured_output_from_a_random_model(tiny: Any) -> None:
    """Asked in words, repaired in vain: the error is typed, and holds what the model said last."""
    backend = LocalBackend(tiny.model, tiny.tokenizer, max_tokens=200)
    soon_over = SamplingParams(seed=1, logit_bias={str(tiny.tokenizer.eos_token_id): 4.0})
    async with default_stack(backend) as stacked:
        with pytest.raises(StructuredOutputError) as caught:
            await stacked.generate(Request("Is it good?", output=Verdict, sampling=soon_over))
    assert caught.value.problems
    assert caught.value.body is not None
