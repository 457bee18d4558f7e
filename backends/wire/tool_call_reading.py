"""Reads tool calls, in every form in which servers send them."""

from collections.abc import Sequence
from typing import Any

from callboard.backends.messages import ToolCall
from callboard.backends.wire.foreign import as_json_text, field, items, text


def read_tool_calls(message: Any, answer_id: str | None) -> tuple[ToolCall, ...]:
    """Read a message's tool calls, or its `function_call` of old.

    Arguments stay as the model wrote them, empty and truncated ones too; an object becomes JSON.
    A call without an id, or with that of another one, is given one.

    Args:
        message: The foreign message.
        answer_id: The answer's id, out of which missing ids are made.
    """
    calls = items(field(message, "tool_calls"))
    if not calls:
        function = field(message, "function_call")
        return () if function is None else (_tool_call(None, function, 0, answer_id),)
    read = [
        _tool_call(field(call, "id"), field(call, "function"), index, answer_id)
        for index, call in enumerate(calls)
    ]
    return distinct(read, answer_id)


def distinct(calls: Sequence[ToolCall], answer_id: str | None) -> tuple[ToolCall, ...]:
    """Return the calls, each under an id of its own."""
    if len({call.id for call in calls}) == len(calls):
        return tuple(calls)
    return tuple(
        ToolCall(id=made_id(answer_id, index), name=call.name, arguments=call.arguments)
        for index, call in enumerate(calls)
    )


def made_id(answer_id: str | None, index: int) -> str:
    """Return the id of a call to which the server gave none."""
    return f"call_{answer_id}_{index}" if answer_id else f"call_{index}"


def _tool_call(call_id: Any, function: Any, index: int, answer_id: str | None) -> ToolCall:
    return ToolCall(
        id=text(call_id) or made_id(answer_id, index),
        name=text(field(function, "name")) or "",
        arguments=as_json_text(field(function, "arguments")),
    )
