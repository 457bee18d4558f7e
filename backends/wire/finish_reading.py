"""Reads why a model stopped, in every word that servers have for it."""

from callboard.backends.completion import FinishReason

_WORDS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


def finish_reason(raw: str | None, *, called: bool) -> FinishReason:
    """Return the finish reason behind a server's word.

    Args:
        raw: The server's word; None where it said nothing.
        called: Whether the answer has tool calls: then `stop`, and silence, mean `tool_calls`.
    """
    reason: FinishReason = "unknown" if raw is None else _WORDS.get(raw.lower(), "unknown")
    return "tool_calls" if called and reason in ("stop", "unknown") else reason
