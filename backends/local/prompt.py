"""Prompt: renders a conversation through the tokenizer's chat template."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callboard.backends.errors import BackendError, BadRequestError, CapabilityError
from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    Content,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import TextPart
from callboard.backends.request import Request
from callboard.backends.tool import Tool


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What the model is given."""

    text: str
    ids: tuple[int, ...]


def render_prompt(tokenizer: Any, request: Request[Any]) -> Prompt:
    """Render the conversation and its tools, and open the assistant's turn.

    A template that refuses the system role is given the instructions at the head of the first
    user message.

    Args:
        tokenizer: A transformers tokenizer with a chat template.
        request: The conversation.

    Raises:
        BadRequestError: If the template or the tokenizer refuses the conversation.
        CapabilityError: If there is an image in it.
    """
    messages = to_chat(request.messages)
    options = _options(request)
    try:
        text = _render(tokenizer, messages, options)
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    except BackendError:
        raise
    except Exception as error:
        raise BadRequestError(
            f"the model's chat template or tokenizer refuses the conversation: {error}"
        ) from error
    return Prompt(text=text, ids=tuple(ids))


def to_chat(messages: Sequence[ChatMessage]) -> list[dict[str, Any]]:
    """Write messages as chat templates read them: text as one string, arguments as objects.

    Raises:
        CapabilityError: If there is an image among them.
    """
    names = {
        call.id: call.name
        for message in messages
        if isinstance(message, AssistantMessage)
        for call in message.tool_calls
    }
    return [_to_chat(message, names) for message in messages]


def without_system(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Move the instructions to the head of the first user message, for templates without them."""
    instructions = "\n\n".join(m["content"] for m in messages if m["role"] == "system")
    rest = [dict(message) for message in messages if message["role"] != "system"]
    first = next((message for message in rest if message["role"] == "user"), None)
    if first is None:
        return [{"role": "user", "content": instructions}, *rest]
    first["content"] = f"{instructions}\n\n{first['content']}"
    return rest


def _render(tokenizer: Any, messages: list[dict[str, Any]], options: dict[str, Any]) -> str:
    try:
        text: str = tokenizer.apply_chat_template(messages, **options)
    except Exception:
        if all(message["role"] != "system" for message in messages):
            raise
        text = tokenizer.apply_chat_template(without_system(messages), **options)
    return text


def _options(request: Request[Any]) -> dict[str, Any]:
    extra: Mapping[str, Any] = (request.sampling.extra_body or {}).get("chat_template_kwargs", {})
    tools = [_describe(tool) for tool in offered_tools(request)]
    return {**extra, "tools": tools or None, "tokenize": False, "add_generation_prompt": True}


def offered_tools(request: Request[Any]) -> tuple[Tool, ...]:
    """Return the tools that the model gets to see.

    Raises:
        CapabilityError: If the request insists on a call, which nothing here can enforce.
    """
    match request.tool_choice:
        case None | "auto":
            return request.tools
        case "none":
            return ()
        case insisted:
            raise CapabilityError(
                f"tool_choice={insisted!r} insists on a tool call, and the in-process model can't "
                "be held to one: leave it at 'auto' and say so in the instructions"
            )


def _describe(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def _to_chat(message: ChatMessage, names: Mapping[str, str]) -> dict[str, Any]:
    match message:
        case SystemMessage():
            return {"role": "system", "content": message.content}
        case UserMessage():
            return {"role": "user", "content": _text(message.content)}
        case AssistantMessage():
            return _assistant(message)
        case ToolMessage():
            answered = message.tool_call_id
            return {
                "role": "tool",
                "content": message.content,
                "tool_call_id": answered,
                "name": names.get(answered, ""),
            }


def _assistant(message: AssistantMessage) -> dict[str, Any]:
    # Templates differ on null content, and agree on an empty string.
    chat: dict[str, Any] = {
        "role": "assistant",
        "content": message.content or message.refusal or "",
    }
    if message.reasoning:
        chat["reasoning_content"] = message.reasoning
    if message.tool_calls:
        chat["tool_calls"] = [_call(call) for call in message.tool_calls]
    return chat


def _call(call: ToolCall) -> dict[str, Any]:
    try:
        arguments: Any = json.loads(call.arguments or "{}")
    except (ValueError, RecursionError):
        arguments = call.arguments  # as the model wrote it
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _text(content: Content) -> str:
    if isinstance(content, str):
        return content
    return "".join(part.text if isinstance(part, TextPart) else _no_image() for part in content)


def _no_image() -> str:
    raise CapabilityError(
        "the in-process model reads text only, and the conversation has an image: "
        "leave it out, or use a backend with vision"
    )
