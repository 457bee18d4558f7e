"""StructuredOutput: modes, validation, repairs, and every way in which an answer is none."""

import pickle
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from callboard.backends import (
    AssistantMessage,
    BadRequestError,
    Capabilities,
    CapabilityError,
    Completion,
    ContentFilterError,
    ContextLengthError,
    Delta,
    FunctionBackend,
    ImagePart,
    RandomBackend,
    RefusalError,
    Request,
    ScriptedBackend,
    StructuredOutputError,
    SystemMessage,
    TextPart,
    ToolCall,
    TruncatedError,
    Usage,
    UserMessage,
    stack,
)
from callboard.backends.double import DOUBLE_CAPABILITIES
from callboard.backends.middleware.structured_output import StructuredOutput

pytestmark = pytest.mark.anyio


class Quote(BaseModel):
    price: int = Field(ge=1, le=20)
    side: Literal["buy", "sell"] = "buy"


@dataclass
class Point:
    x: int
    y: int = 0


class Pair(TypedDict):
    left: str
    right: str


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def only(*modes: str) -> Capabilities:
    return replace(DOUBLE_CAPABILITIES, structured=modes)


def scripted(*answers: Any, **options: Any) -> ScriptedBackend:
    return ScriptedBackend(answers, **options)


@pytest.mark.parametrize(
    ("output", "answer", "parsed"),
    [
        (Quote, '{"price": 3}', Quote(price=3)),
        (Point, '{"x": 1}', Point(1)),
        (Pair, {"left": "a", "right": "b"}, {"left": "a", "right": "b"}),
        (int, '{"value": 4}', 4),
        (int, "4", 4),
        (bool, '{"value": true}', True),
        (int | None, '{"value": null}', None),
        (Literal["a", "b"], '{"value": "b"}', "b"),
        (Colour, '{"value": "red"}', Colour.RED),
        (list[Point], {"value": [{"x": 1}]}, [Point(1)]),
        (list[int], [1, 2], [1, 2]),
        (Quote | Point, {"value": {"x": 2}}, Point(2)),
        (dict[str, int], {"value": 3}, {"value": 3}),
        (Annotated[int, Field(ge=3)], {"value": 3}, 3),
        (str, "plain words", "plain words"),
    ],
)
async def test_every_kind_of_type_is_parsed(output: Any, answer: Any, parsed: Any) -> None:
    """Models, dataclasses, typed dicts, scalars, unions and lists come out as what they are."""
    backend = scripted(answer)
    completion = await stack(backend, StructuredOutput()).generate(Request("go", output=output))
    assert completion.parsed == parsed
    assert type(completion.parsed) is type(parsed)


async def test_without_an_output_nothing_is_touched() -> None:
    """The request goes on as it is, and the completion comes back as it is."""
    whole = Completion(message=AssistantMessage("hi"), steps=())
    backend = FunctionBackend(lambda request: whole)
    request = Request("go")
    seen = []

    async def call_next(request: Request, sink: Any = None, /) -> Completion:
        seen.append(request)
        return await backend.generate(request, sink)

    completion = await StructuredOutput()(request, None, call_next)
    assert seen[0] is request
    assert completion.parsed is None


async def test_the_native_mode_sends_a_strict_schema() -> None:
    """The bounds stay, objects are closed, and what was optional may be null."""
    backend = scripted({"price": 3, "side": None})
    completion = await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    form = backend.requests[0].response_format
    assert form is not None
    assert (form.kind, form.name, form.strict) == ("json_schema", "Quote", True)
    assert form.schema is not None
    assert form.schema["properties"]["price"] == {"type": "integer", "minimum": 1, "maximum": 20}
    assert form.schema["required"] == ["price", "side"]
    assert completion.parsed == Quote(price=3, side="buy")


@pytest.mark.parametrize("mode", ["json_object", "prompt"])
async def test_other_modes_put_the_schema_into_the_prompt(mode: str) -> None:
    """The system message carries it, joined to the one that is there; images are untouched."""
    image = ImagePart.from_url("https://example.com/cat.png")
    messages = [SystemMessage("Be brief."), UserMessage((TextPart("what?"), image))]
    backend = scripted('{"price": 3}', capabilities=only(mode))
    completion = await stack(backend, StructuredOutput()).generate(Request(messages, output=Quote))
    sent = backend.requests[0]
    assert completion.parsed == Quote(price=3)
    assert sent.messages[1] == messages[1]
    assert sent.messages[0].content.startswith("Be brief.\n\n")
    assert '"maximum": 20' in str(sent.messages[0].content)
    assert (sent.response_format is None) == (mode == "prompt")
    assert completion.steps[0].messages == sent.messages


async def test_words_around_the_json_are_passed_over_in_prompt_mode_alone() -> None:
    """Where a server was to enforce a schema, prose means that something is wrong."""
    chatty = 'Sure! Here it is:\n{"price": 3}\nAnything else?'
    backend = scripted(chatty, capabilities=only("prompt"))
    completion = await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    assert completion.parsed == Quote(price=3)
    strict = stack(scripted(chatty), StructuredOutput(repairs=0))
    with pytest.raises(StructuredOutputError):
        await strict.generate(Request("go", output=Quote))


@pytest.mark.parametrize(
    "text", ['```json\n{"price": 3}\n```', '<think>maybe {"price": 9}</think>\n{"price": 3}']
)
async def test_fences_and_thinking_are_passed_over_in_every_mode(text: str) -> None:
    """Servers that ignore the schema write so."""
    completion = await stack(scripted(text), StructuredOutput()).generate(
        Request("go", output=Quote)
    )
    assert completion.parsed == Quote(price=3)


async def test_an_invalid_answer_is_repaired() -> None:
    """The model sees its answer and what is wrong; usage and steps cover both calls."""
    backend = scripted('{"price": 99}', '{"price": 19}')
    seen: list[Delta] = []

    async def sink(delta: Delta) -> None:
        seen.append(delta)

    outer = stack(backend, StructuredOutput())
    completion = await outer.generate(Request("go", output=Quote), sink)
    assert completion.parsed == Quote(price=19)
    first, second = backend.requests
    assert second.messages[: len(first.messages)] == first.messages
    assert second.messages[-2] == AssistantMessage('{"price": 99}')
    assert "price: input should be less than or equal to 20, got 99" in str(
        second.messages[-1].content
    )
    assert [step.message.content for step in completion.steps] == ['{"price": 99}', '{"price": 19}']
    assert completion.usage == completion.steps[0].usage + completion.steps[1].usage
    resets = [index for index, delta in enumerate(seen) if delta.kind == "reset"]
    assert len(resets) == 1
    assert {delta.step for delta in seen[: resets[0]]} == {0}
    assert {delta.step for delta in seen[resets[0] :]} == {1}


@pytest.mark.parametrize(
    "garbage", ["not json", "", "   ", "{", '{"price": 99}', "[]", '"x"', "null"]
)
@pytest.mark.parametrize("repairs", [0, 1, 2])
async def test_an_answer_that_stays_invalid_is_an_error(garbage: str, repairs: int) -> None:
    """After the last repair the error tells the problems and keeps the text."""
    backend = scripted(*[garbage] * (repairs + 1))
    with pytest.raises(StructuredOutputError, match="no valid Quote") as caught:
        await stack(backend, StructuredOutput(repairs)).generate(Request("go", output=Quote))
    assert len(backend.requests) == repairs + 1
    assert caught.value.problems
    assert caught.value.body == garbage


@pytest.mark.parametrize(
    ("message", "finish", "error"),
    [
        (AssistantMessage(refusal="I can't do that"), "stop", RefusalError),
        (AssistantMessage('{"price"'), "length", TruncatedError),
        (AssistantMessage('{"pri'), "content_filter", ContentFilterError),
    ],
)
async def test_an_unfinished_answer_is_its_own_error(
    message: AssistantMessage, finish: Any, error: type[Exception]
) -> None:
    """Refusals, truncation and filters are not repaired."""
    backend = scripted(Completion(message=message, finish_reason=finish, usage=Usage(output=7)))
    with pytest.raises(error) as caught:
        await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    assert len(backend.requests) == 1
    if isinstance(caught.value, RefusalError):
        assert caught.value.refusal == "I can't do that"


async def test_a_completion_with_tool_calls_passes_untouched() -> None:
    """It is no answer yet, whatever its text says."""
    call = ToolCall(id="1", name="search", arguments="{}")
    message = AssistantMessage("let me look", (call,))
    backend = scripted(message)
    completion = await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    assert completion.message is message
    assert completion.parsed is None


REFUSAL = BadRequestError("'response_format' of type 'json_schema' is not supported", status=400)


async def test_a_refused_mode_falls_to_the_next_and_is_remembered() -> None:
    """The next call goes straight to the mode that works."""
    backend = scripted(REFUSAL, {"price": 1}, {"price": 2})
    outer = stack(backend, StructuredOutput())
    for price in (1, 2):
        completion = await outer.generate(Request("go", output=Quote))
        assert completion.parsed == Quote(price=price)
    kinds = [
        request.response_format and request.response_format.kind for request in backend.requests
    ]
    assert kinds == ["json_schema", "json_object", "json_object"]


async def test_memory_is_kept_for_each_backend() -> None:
    """An instance shared by two stacks does not blame one for the other."""
    shared = StructuredOutput()
    poor, rich = scripted(REFUSAL, {"price": 1}), scripted({"price": 2})
    await stack(poor, shared).generate(Request("go", output=Quote))
    await stack(rich, shared).generate(Request("go", output=Quote))
    assert rich.requests[0].response_format is not None
    assert rich.requests[0].response_format.kind == "json_schema"


async def test_a_refused_schema_is_remembered_for_its_type() -> None:
    """Another type's schema may still be taken."""
    bad = BadRequestError("Invalid schema for response_format 'Quote'", status=400)
    backend = scripted(bad, {"price": 1}, {"price": 2}, {"x": 1})
    outer = stack(backend, StructuredOutput())
    for output in (Quote, Quote, Point):
        await outer.generate(Request("go", output=output))
    kinds = [
        request.response_format and request.response_format.kind for request in backend.requests
    ]
    assert kinds == ["json_schema", "json_object", "json_object", "json_schema"]


async def test_when_every_mode_is_refused_the_last_error_comes_out() -> None:
    """And the next call says what to do."""
    backend = scripted(
        REFUSAL, CapabilityError("no json_object"), capabilities=only("json_schema", "json_object")
    )
    outer = stack(backend, StructuredOutput())
    with pytest.raises(CapabilityError, match="no json_object"):
        await outer.generate(Request("go", output=Quote))


@pytest.mark.parametrize(
    "error", [BadRequestError("max_tokens is too large"), ContextLengthError("response_format")]
)
async def test_other_errors_are_not_taken_for_a_refused_mode(error: Exception) -> None:
    """They come out as they are, after one call."""
    backend = scripted(error)
    with pytest.raises(type(error)):
        await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    assert len(backend.requests) == 1


async def test_modes_may_be_chosen() -> None:
    """What the user names is tried in that order, whatever the backend declares."""
    backend = scripted({"price": 1}, capabilities=only("json_schema"))
    outer = stack(backend, StructuredOutput(modes=("json_object",)))
    assert outer.capabilities.structured == ("json_object",)
    await outer.generate(Request("go", output=Quote))
    assert backend.requests[0].response_format is not None
    assert backend.requests[0].response_format.kind == "json_object"


async def test_an_undeclared_mode_is_not_used() -> None:
    """A backend of which nothing is known is asked in words."""
    backend = scripted({"price": 1}, capabilities=Capabilities())
    await stack(backend, StructuredOutput()).generate(Request("go", output=Quote))
    assert backend.requests[0].response_format is None


async def test_a_type_that_can_not_be_described_is_refused() -> None:
    """Before anything is sent, and by name."""

    class Opaque:
        pass

    backend = scripted("{}")
    with pytest.raises(TypeError, match="Opaque can't be an output type"):
        await stack(backend, StructuredOutput()).generate(Request("go", output=Opaque))
    assert backend.requests == []


def test_bad_settings_are_refused() -> None:
    """At the earliest moment."""
    with pytest.raises(ValueError, match="repairs"):
        StructuredOutput(-1)
    with pytest.raises(ValueError, match="modes"):
        StructuredOutput(modes=())


def test_it_pickles() -> None:
    """With its settings, and without its memory."""
    copy = pickle.loads(pickle.dumps(StructuredOutput(3, modes=("prompt",))))
    assert (copy.repairs, copy.modes) == (3, ("prompt",))


@pytest.mark.parametrize("mode", ["json_schema", "json_object", "prompt"])
async def test_the_random_policy_answers_every_mode(mode: str) -> None:
    """Bounds that strict servers don't know still hold."""

    class Tight(BaseModel):
        word: str = Field(min_length=3, max_length=4)
        tags: set[Literal["a", "b", "c"]] = Field(min_length=2)
        price: int = Field(ge=5, le=7)

    outer = stack(RandomBackend(1), StructuredOutput(repairs=0, modes=(mode,)))  # type: ignore[arg-type]  # parametrised
    for _ in range(50):
        completion = await outer.generate(Request("go", output=Tight))
        assert 5 <= completion.parsed.price <= 7
