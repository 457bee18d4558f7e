"""Reads token counts; a server that says nothing, or nonsense, counts as 0."""

from typing import Any

from callboard.backends.usage import Usage
from callboard.backends.wire.foreign import count, field

NO_USAGE = Usage()


def read_usage(usage: Any) -> Usage:
    """Read a `usage` object, of chat completions or of the Responses API.

    Args:
        usage: A dict or object; None and anything else give a usage of 0.
    """
    if usage is None:
        return NO_USAGE
    prompt = field(usage, "prompt_tokens_details") or field(usage, "input_tokens_details")
    answer = field(usage, "completion_tokens_details") or field(usage, "output_tokens_details")
    return Usage(
        input=count(field(usage, "prompt_tokens")) or count(field(usage, "input_tokens")),
        output=count(field(usage, "completion_tokens")) or count(field(usage, "output_tokens")),
        cached=count(field(prompt, "cached_tokens"))
        or count(field(usage, "prompt_cache_hit_tokens")),
        reasoning=count(field(answer, "reasoning_tokens")),
    )
