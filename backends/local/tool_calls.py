"""Reads the tool calls that a model writes between `<tool_call>` and `</tool_call>`.

It is the form of the Hermes and Qwen families: `{"name": "search", "arguments": {"query": "..."}}`.
"""

import json
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenCall:
    """A tool call as the model wrote it, before it has an id."""

    name: str
    arguments: str
    """JSON; an object if the model kept to the form."""


def read_call(body: str) -> WrittenCall | None:
    """Read what stands between the tags; None if it is no call. Never raises.

    Args:
        body: The text between the tags.
    """
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    call = cast("dict[str, Any]", found)
    name = call.get("name")
    if not isinstance(name, str) or not name:
        return None
    return WrittenCall(name=name, arguments=_arguments(call))


def _arguments(call: dict[str, Any]) -> str:
    arguments = call.get("arguments", call.get("parameters"))
    if isinstance(arguments, str):  # some models write JSON in JSON
        return arguments
    return json.dumps({} if arguments is None else arguments)
