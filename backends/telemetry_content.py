"""Message contents in the form that the GenAI conventions give them in spans; opt-in.

https://github.com/open-telemetry/semantic-conventions-genai: `gen_ai.input.messages` and
`gen_ai.output.messages` are JSON lists of `{"role", "parts"}`, as strings.
"""

import json
from collections.abc import Sequence
from typing import Any

from callboard.ambient.redaction import redact
from callboard.backends.completion import Completion
from callboard.backends.messages import AssistantMessage, ChatMessage, SystemMessage, ToolMessage
from callboard.backends.parts import Part, TextPart

Json = dict[str, Any]


def input_messages(messages: Sequence[ChatMessage]) -> str:
    """Write what was sent, with secrets removed and images named rather than quoted."""
    return redact(json.dumps([_message(message) for message in messages]))


def output_messages(completion: Completion[Any]) -> str:
    """Write what came back, with secrets removed."""
    answer = _message(completion.message) | {"finish_reason": completion.finish_reason}
    return redact(json.dumps([answer]))


def _message(message: ChatMessage) -> Json:
    if isinstance(message, AssistantMessage):
        return {"role": "assistant", "parts": _assistant_parts(message)}
    if isinstance(message, ToolMessage):
        part = {
            "type": "tool_call_response",
            "id": message.tool_call_id,
            "response": message.content,
        }
        return {"role": "tool", "parts": [part]}
    role = "system" if isinstance(message, SystemMessage) else "user"
    content = message.content
    parts = [_text(content)] if isinstance(content, str) else [_part(part) for part in content]
    return {"role": role, "parts": parts}


def _assistant_parts(message: AssistantMessage) -> list[Json]:
    parts: list[Json] = []
    if message.reasoning:
        parts.append({"type": "reasoning", "content": message.reasoning})
    parts += [_text(words) for words in (message.content, message.refusal) if words]
    parts += [
        {"type": "tool_call", "id": call.id, "name": call.name, "arguments": call.arguments}
        for call in message.tool_calls
    ]
    return parts


def _part(part: Part) -> Json:
    if isinstance(part, TextPart):
        return _text(part.text)
    if part.url.startswith("data:"):
        return {"type": "blob", "modality": "image", "mime_type": part.url[5:].partition(";")[0]}
    return {"type": "uri", "modality": "image", "uri": part.url}


def _text(words: str) -> Json:
    return {"type": "text", "content": words}
