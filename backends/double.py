"""What the public doubles share: how an answer of their author's becomes a completion."""

import re
from dataclasses import replace
from typing import Any

from pydantic_core import to_json
from typing_extensions import TypeIs

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.messages import AssistantMessage
from callboard.backends.request import Request
from callboard.backends.steps import steps_of
from callboard.backends.token_estimate import estimate_usage

DOUBLE_CAPABILITIES = Capabilities(
    structured=("json_schema", "json_object", "prompt"),
    tools="yes",
    parallel_tools="yes",
    streaming="yes",
    vision="yes",
    logprobs="no",
    token_ids="no",
    token_input="no",
    n="no",
    seed="yes",
)
"""What a double claims: whatever can be claimed without a model."""

_PIECE = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")


def to_completion(answer: Any, request: Request[Any], model: str) -> Completion[Any]:
    """Turn what the author of a double wrote into a completion, usage and step included.

    Args:
        answer: A Completion as it is; an AssistantMessage; text; anything else becomes JSON text.
        request: What is being answered, for the estimate of usage.
        model: The name of the model that is said to have answered.

    Raises:
        TypeError: If the answer can't be written as JSON.
    """
    if _is_completion(answer):
        return answer if answer.steps else replace(answer, steps=steps_of(request, answer))
    message = to_assistant_message(answer)
    completion: Completion[Any] = Completion(
        message=message,
        finish_reason="tool_calls" if message.tool_calls else "stop",
        usage=estimate_usage(request.messages, message),
        model=model,
    )
    # In place, because nobody has seen it yet and a copy costs more than all the rest.
    object.__setattr__(completion, "steps", steps_of(request, completion))
    return completion


def _is_completion(answer: object) -> TypeIs[Completion[Any]]:
    return isinstance(answer, Completion)


def to_assistant_message(answer: Any) -> AssistantMessage:
    """Read an answer as a message: text as it is, every other value as its JSON.

    Raises:
        TypeError: If the answer can't be written as JSON.
    """
    if isinstance(answer, AssistantMessage):
        return answer
    if isinstance(answer, str):
        return AssistantMessage(answer)
    try:
        return AssistantMessage(to_json(answer).decode())
    except ValueError as error:
        raise TypeError(
            f"a double answers text, an AssistantMessage, a Completion, or a value that JSON can "
            f"hold; got {type(answer).__name__}: {error}"
        ) from error


async def tell_sink(sink: Sink, message: AssistantMessage) -> None:
    """Hand a whole message to a sink in pieces, as a server would: reasoning, text, tool calls."""
    for piece in _PIECE.findall(message.reasoning or ""):
        await sink(Delta(kind="reasoning", text=piece))
    for piece in _PIECE.findall(message.content or ""):
        await sink(Delta(kind="text", text=piece))
    for piece in _PIECE.findall(message.refusal or ""):
        await sink(Delta(kind="refusal", text=piece))
    for index, call in enumerate(message.tool_calls):
        await sink(Delta(kind="tool_call", index=index, call_id=call.id, name=call.name))
        for piece in _PIECE.findall(call.arguments):
            await sink(Delta(kind="tool_call", text=piece, index=index, call_id=call.id))
