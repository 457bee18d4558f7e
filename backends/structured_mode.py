"""How a structured output is asked for: which mode, in which words, and what an answer is worth.

Everything here is a decision without I/O; `middleware/structured_output.py` carries them out.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from callboard.backends.capabilities import StructuredMode
from callboard.backends.completion import Completion
from callboard.backends.errors import (
    BackendError,
    BadRequestError,
    CapabilityError,
    ContentFilterError,
    ContextLengthError,
    RefusalError,
    TruncatedError,
)
from callboard.backends.messages import ChatMessage, SystemMessage, UserMessage
from callboard.backends.output.output_type import OutputType
from callboard.backends.request import Request
from callboard.backends.response_format import ResponseFormat

_JSON_OBJECT = ResponseFormat(kind="json_object")
_ABOUT_SCHEMA = ("invalid schema", "guided", "grammar", "strict")
_ABOUT_MODE = (
    "response_format",
    "response format",
    "json_schema",
    "json_object",
    "json mode",
    "structured output",
)


def open_modes(
    declared: tuple[StructuredMode, ...], refused: Collection[StructuredMode]
) -> tuple[StructuredMode, ...]:
    """Return the modes worth trying, in their order.

    Args:
        declared: What the user wants, or else what the backend can do, the most reliable first.
        refused: What the backend has turned down before.

    Raises:
        CapabilityError: If none is left.
    """
    if not refused and declared:
        return declared
    found: tuple[StructuredMode, ...] = tuple(mode for mode in declared if mode not in refused)
    if not found:
        raise CapabilityError(
            f"no mode of structured output is left: {', '.join(declared) or 'none'} declared, "
            f"{', '.join(sorted(refused)) or 'none'} refused by the backend. Add 'prompt' to the "
            "modes of StructuredOutput, which asks in words and works with any model"
        )
    return found


def framed(request: Request[Any], output: OutputType, mode: StructuredMode) -> Request[Any]:
    """Return the request as it is to be sent in a mode."""
    if output.plain:
        return request
    if mode == "json_schema":
        return request.replaced(response_format=output.format)
    return request.replaced(
        messages=_instructed(request.messages, output),
        response_format=_JSON_OBJECT if mode == "json_object" else None,
    )


def _instructed(messages: tuple[ChatMessage, ...], output: OutputType) -> tuple[ChatMessage, ...]:
    words = (
        "Give your answer as one JSON object and nothing else: no other words, no code fence. "
        f"It must be valid against this JSON schema:\n{json.dumps(output.schema)}"
    )
    # One system message, the first: chat templates refuse a second one, or one further down.
    if messages and isinstance(first := messages[0], SystemMessage):
        joined = SystemMessage(f"{first.content}\n\n{words}", first.name)
        return (joined, *messages[1:])
    return (SystemMessage(words), *messages)


Refused = Literal["mode", "schema"]


def refused_form(error: BackendError) -> Refused | None:
    """Say whether an error means that the backend does not take the form of the request.

    Returns:
        `mode` if it takes no such response format at all, `schema` if it does not take this one
        schema, None if the error is about something else.
    """
    if isinstance(error, (ContextLengthError, ContentFilterError)):
        return None
    if not isinstance(error, (BadRequestError, CapabilityError)):
        return None
    words = f"{error} {error.body or ''}".lower()
    if any(word in words for word in _ABOUT_SCHEMA):
        return "schema"
    return "mode" if any(word in words for word in _ABOUT_MODE) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What an answer is worth."""

    kind: Literal["valid", "invalid", "tool_calls"]
    value: Any = None
    problems: tuple[str, ...] = ()


def judged(completion: Completion[Any], output: OutputType, mode: StructuredMode) -> Verdict:
    """Decide what an answer is worth; one with tool calls is no answer yet.

    Raises:
        RefusalError: If the model declined.
        ContentFilterError: If a filter cut the answer off.
        TruncatedError: If the token limit did.
    """
    if completion.message.tool_calls:
        return Verdict(kind="tool_calls")
    _refuse_unfinished(completion, output)
    if not completion.text.strip() and not output.plain:
        return Verdict(kind="invalid", problems=("the answer is empty",))
    reading = output.read(completion.text, prose=mode == "prompt")
    if reading.problems:
        return Verdict(kind="invalid", problems=reading.problems)
    return Verdict(kind="valid", value=reading.value)


def _refuse_unfinished(completion: Completion[Any], output: OutputType) -> None:
    if completion.refusal:
        raise RefusalError(
            f"the model declined to answer as {output.name}: {completion.refusal[:200]!r}. Change "
            "the request, or catch RefusalError and read its `refusal`",
            refusal=completion.refusal,
            request_id=completion.id,
        )
    if completion.finish_reason == "content_filter":
        raise ContentFilterError(
            f"a content filter cut off the answer, which should have been {output.name}; change "
            "the request",
            request_id=completion.id,
            body=completion.text,
        )
    if completion.finish_reason == "length":
        raise TruncatedError(
            f"the answer hit the token limit after {completion.usage.output} tokens, before it was "
            f"a whole {output.name}; raise SamplingParams(max_tokens=...), or ask for less",
            request_id=completion.id,
            body=completion.text,
        )


def repair_turn(completion: Completion[Any], problems: Sequence[str]) -> tuple[ChatMessage, ...]:
    """Return the messages that show a model its answer and what was wrong with it."""
    told = "\n".join(f"- {problem}" for problem in problems)
    complaint = UserMessage(
        f"That answer does not fit the JSON schema:\n{told}\n"
        "Answer again with the whole corrected JSON, and nothing else."
    )
    # An assistant's message without a word is refused by many servers.
    return (completion.message, complaint) if completion.text.strip() else (complaint,)
