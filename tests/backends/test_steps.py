"""Steps, the sink that counts them, the rest of a stack, and the estimate of usage."""

import pytest

from callboard.backends import (
    AssistantMessage,
    Capabilities,
    Completion,
    Delta,
    FunctionBackend,
    ImagePart,
    Request,
    Step,
    SystemMessage,
    TextPart,
    ToolCall,
    ToolMessage,
    Usage,
    UserMessage,
    stack,
)
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.onward import Innermost, Onward, capabilities_of
from callboard.backends.step_sink import StepSink
from callboard.backends.steps import steps_of, totalled, with_parsed
from callboard.backends.token_estimate import estimate_usage

pytestmark = pytest.mark.anyio


def test_a_completion_without_steps_is_one() -> None:
    """And one with steps keeps them."""
    request = Request("hi")
    plain = Completion(message=AssistantMessage("a"), usage=Usage(input=1), model="m", id="i")
    (step,) = steps_of(request, plain)
    assert step == Step(
        messages=request.messages, message=plain.message, finish_reason="stop",
        usage=Usage(input=1), model="m", id="i",
    )  # fmt: skip
    whole = totalled(plain, (step, step))
    assert steps_of(request, whole) == (step, step)
    assert whole.usage == Usage(input=2)


def test_parsed_is_set_on_a_copy() -> None:
    """Everything else is the same."""
    plain = Completion(message=AssistantMessage("a"), raw={"x": 1})
    parsed = with_parsed(plain, 3)
    assert (parsed.parsed, parsed.message, parsed.raw) == (3, plain.message, {"x": 1})
    assert plain.parsed is None


async def test_steps_count_on_over_several_calls() -> None:
    """Whatever each call's own count was."""
    seen: list[tuple[str, int]] = []

    async def sink(delta: Delta) -> None:
        seen.append((delta.kind, delta.step))

    steps = StepSink(sink)
    await steps(Delta(kind="text", step=0))
    await steps(Delta(kind="text", step=1))
    call = ToolCall(id="c", name="t", arguments="")
    await steps.tell_results([call], ["r"])
    await steps.begin_step()
    await steps(Delta(kind="text", step=0))
    await steps(Delta(kind="text", step=1))
    await steps.begin_step()
    await steps.begin_step()
    await steps(Delta(kind="text", step=0))
    assert seen == [
        ("text", 0), ("text", 1), ("tool_result", 1), ("reset", 2), ("text", 2), ("text", 3),
        ("reset", 4), ("reset", 5), ("text", 5),
    ]  # fmt: skip


async def test_the_rest_of_a_stack_knows_what_it_can_do() -> None:
    """As each layer reports it; of a function nobody knows anything."""
    known = Capabilities(structured=("json_object",), tools="yes")
    backend = FunctionBackend(str, capabilities=known)
    rest = Onward(StructuredOutput(modes=("prompt",)), Innermost(backend))
    assert capabilities_of(rest).structured == ("prompt",)
    assert capabilities_of(Innermost(backend)) == known
    assert capabilities_of(backend.generate) == known
    assert stack(backend, StructuredOutput(modes=("prompt",))).capabilities.structured == (
        "prompt",
    )

    async def function(request: Request, sink: object = None, /) -> Completion:
        return await backend.generate(request)

    assert capabilities_of(function) == Capabilities()


def test_the_estimate_counts_what_it_says() -> None:
    """Four characters a token, four tokens a message, 85 an image."""
    image = ImagePart.from_url("https://example.com/a.png")
    call = ToolCall(id="c", name="abcd", arguments="efgh")
    messages = [
        SystemMessage("12345"),
        UserMessage("1234"),
        UserMessage((TextPart("12345678"), image)),
        AssistantMessage("1234", (call,), reasoning="5678"),
        ToolMessage("", "c"),
    ]
    usage = estimate_usage(messages, AssistantMessage("12345"))
    assert usage == Usage(input=(4 + 2) + (4 + 1) + (4 + 2 + 85) + (4 + 4) + 4, output=2)
