"""Writes messages as chat completions has them: strictly, and nothing that was not said."""

from collections.abc import Callable
from typing import Any

from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import ImagePart, Part, TextPart


def message_body(message: ChatMessage) -> dict[str, Any]:
    """Return one message as chat completions has it.

    An assistant's reasoning is not sent back. Its content is left out where it is None and there is
    something else to send: servers that compare a conversation with what they answered want that.

    Args:
        message: Any of the four kinds.

    Raises:
        TypeError: If it is none of them.
    """
    writer = _WRITERS.get(type(message))
    if writer is None:
        writer = _writer_of_base(message)
    return writer(message)


def part_body(part: Part) -> dict[str, Any]:
    """Return one part of a user's message as chat completions has it."""
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": _image(part)}


def _image(part: ImagePart) -> dict[str, Any]:
    if part.detail is None:
        return {"url": part.url}
    return {"url": part.url, "detail": part.detail}


def _system(message: SystemMessage) -> dict[str, Any]:
    body: dict[str, Any] = {"role": "system", "content": message.content}
    if message.name is not None:
        body["name"] = message.name
    return body


def _user(message: UserMessage) -> dict[str, Any]:
    content = message.content
    if not isinstance(content, str):
        body: dict[str, Any] = {"role": "user", "content": [part_body(part) for part in content]}
    else:
        body = {"role": "user", "content": content}
    if message.name is not None:
        body["name"] = message.name
    return body


def _assistant(message: AssistantMessage) -> dict[str, Any]:
    body: dict[str, Any] = {"role": "assistant"}
    if message.content is not None:
        body["content"] = message.content
    elif not message.tool_calls and message.refusal is None:
        body["content"] = ""
    if message.tool_calls:
        body["tool_calls"] = [_tool_call(call) for call in message.tool_calls]
    if message.refusal is not None:
        body["refusal"] = message.refusal
    if message.name is not None:
        body["name"] = message.name
    return body


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _tool(message: ToolMessage) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    SystemMessage: _system,
    UserMessage: _user,
    AssistantMessage: _assistant,
    ToolMessage: _tool,
}


def _writer_of_base(message: object) -> Callable[[Any], dict[str, Any]]:
    for kind, writer in _WRITERS.items():
        if isinstance(message, kind):
            return writer
    raise TypeError(
        f"a message is a SystemMessage, UserMessage, AssistantMessage or ToolMessage, got "
        f"{type(message).__name__}; Request(...) reads strings and dicts"
    )
