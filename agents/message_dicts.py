"""Writes chat messages as OpenAI-style dicts; `to_messages` reads them back unchanged."""

from typing import Any

from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import Part, TextPart


def to_dict(message: ChatMessage) -> dict[str, Any]:
    """Write one message as plain data, leaving out what it does not have."""
    match message:
        case SystemMessage(content, name):
            fields: dict[str, Any] = {"role": "system", "content": content, "name": name}
        case UserMessage(str(content), name):
            fields = {"role": "user", "content": content, "name": name}
        case UserMessage(content, name):
            parts = [_part(part) for part in content if not isinstance(part, str)]
            fields = {"role": "user", "content": parts, "name": name}
        case ToolMessage(content, tool_call_id):
            fields = {"role": "tool", "content": content, "tool_call_id": tool_call_id}
        case AssistantMessage():
            fields = _assistant(message)
    return {name: value for name, value in fields.items() if value is not None}


def _assistant(message: AssistantMessage) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "role": "assistant",
        "reasoning_content": message.reasoning,
        "refusal": message.refusal,
        "name": message.name,
        "tool_calls": [_tool_call(call) for call in message.tool_calls] or None,
    }
    return {"content": message.content, **fields}


def _tool_call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    image = {"url": part.url} if part.detail is None else {"url": part.url, "detail": part.detail}
    return {"type": "image_url", "image_url": image}
