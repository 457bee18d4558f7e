"""Chat messages: what is said to a model and what it answers, as values that never change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from callboard.backends.parts import Part

Content: TypeAlias = str | tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """The model's wish to call a tool."""

    id: str
    """Names the call; the tool's message answers to it."""
    name: str
    arguments: str
    """JSON as the model wrote it: unparsed, and not necessarily valid."""


@dataclass(frozen=True, slots=True)
class SystemMessage:
    """Instructions that stand above the conversation."""

    content: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class UserMessage:
    """What the user, or the world, says: text, or text and images."""

    content: Content
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AssistantMessage:
    """What the model says: text, tool calls, or both."""

    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str | None = None
    """The model's thinking, kept apart from its answer."""
    refusal: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ToolMessage:
    """What a tool answered."""

    content: str
    tool_call_id: str


ChatMessage: TypeAlias = SystemMessage | UserMessage | AssistantMessage | ToolMessage
MessageLike: TypeAlias = ChatMessage | str | Mapping[str, Any]
"""A message, a plain string (the user's words), or an OpenAI-style dict."""
