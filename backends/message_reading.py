"""Reads messages in every form in which users hold them: objects, strings, OpenAI's dicts."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    MessageLike,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import ImagePart, Part, TextPart

_ONE = (str, Mapping, SystemMessage, UserMessage, AssistantMessage, ToolMessage)


def to_messages(messages: MessageLike | Iterable[MessageLike]) -> tuple[ChatMessage, ...]:
    """Read messages in whichever accepted form they come.

    Args:
        messages: One message or several; strings are the user's, dicts are OpenAI's.

    Raises:
        ValueError: If a dict has no known role, or lacks what its role needs.
    """
    if isinstance(messages, _ONE):
        return (to_message(cast("MessageLike", messages)),)
    return tuple(map(to_message, messages))


def to_message(message: MessageLike) -> ChatMessage:
    """Read one message; see `to_messages`.

    Raises:
        ValueError: If a dict has no known role, or lacks what its role needs.
    """
    if isinstance(message, (UserMessage, AssistantMessage, ToolMessage, SystemMessage)):
        return message
    if isinstance(message, str):
        return UserMessage(message)
    reader = _READERS.get(role := message.get("role"))
    if reader is None:
        known = ", ".join(map(str, _READERS))
        raise ValueError(f"a message's role is one of {known}; got {role!r} in {sorted(message)}")
    return reader(message)


def _read_system(message: Mapping[str, Any]) -> SystemMessage:
    return SystemMessage(_text(message.get("content")) or "", message.get("name"))


def _read_user(message: Mapping[str, Any]) -> UserMessage:
    content = message.get("content")
    if content is None or isinstance(content, str):
        return UserMessage(content or "", message.get("name"))
    return UserMessage(tuple(map(_read_part, content)), message.get("name"))


def _read_assistant(message: Mapping[str, Any]) -> AssistantMessage:
    return AssistantMessage(
        _text(message.get("content")),
        tuple(map(_read_tool_call, message.get("tool_calls") or ())),
        message.get("reasoning_content") or message.get("reasoning"),
        message.get("refusal"),
        message.get("name"),
    )


def _read_tool(message: Mapping[str, Any]) -> ToolMessage:
    if not message.get("tool_call_id"):
        raise ValueError("a tool message needs the tool_call_id of the call that it answers")
    return ToolMessage(_text(message.get("content")) or "", message["tool_call_id"])


_READERS: dict[object, Callable[[Mapping[str, Any]], ChatMessage]] = {
    "system": _read_system,
    "developer": _read_system,
    "user": _read_user,
    "assistant": _read_assistant,
    "tool": _read_tool,
}


def _read_part(part: Any) -> Part:
    if isinstance(part, (TextPart, ImagePart)):
        return part
    if isinstance(part, str):
        return TextPart(part)
    kind = part.get("type")
    if kind in ("text", "input_text"):
        return TextPart(part["text"])
    if kind in ("image_url", "input_image"):
        image = part["image_url"]
        if isinstance(image, str):
            return ImagePart.from_url(image)
        return ImagePart(url=image["url"], detail=image.get("detail"))
    raise ValueError(f"a content part is of type text or image_url; got {kind!r}")


def _read_tool_call(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(id=call["id"], name=function["name"], arguments=function.get("arguments") or "")


def _text(content: Any) -> str | None:
    if content is None or isinstance(content, str):
        return content
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in content)
