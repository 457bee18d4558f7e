"""Reads the tokens behind an answer, where the server tells them: ids and log-probabilities."""

import math
from collections.abc import Sequence
from typing import Any

from callboard.backends.completion import TokenRecord
from callboard.backends.wire.foreign import field, items, text

_ID = "token_id:"
"""vLLM and SGLang write a token as `token_id:17` when asked to return tokens as ids."""


def read_tokens(answer: Any, choice: Any, logprobs: Any) -> TokenRecord | None:
    """Read what an answer says about its tokens; None where it says nothing.

    Args:
        answer: The whole answer, which may hold `prompt_token_ids`.
        choice: Its choice, which may hold `token_ids`.
        logprobs: The choice's `logprobs`.
    """
    prompt = field(answer, "prompt_token_ids")
    if prompt is None:
        prompt = field(choice, "prompt_token_ids")
    ids = field(choice, "token_ids")
    if logprobs is None and prompt is None and ids is None:
        return None
    return token_record(prompt, ids, items(field(logprobs, "content")))


def token_record(prompt: Any, ids: Any, content: Sequence[Any]) -> TokenRecord | None:
    """Join ids and log-probabilities; where their lengths differ the log-probabilities go.

    Args:
        prompt: Ids of the prompt, or None.
        ids: Ids of the answer, or None.
        content: The entries of `logprobs.content`.
    """
    found = _ids(ids) or _named_ids(content)
    values = _logprobs(content)
    if found is not None and values is not None and len(found) != len(values):
        values = None
    prompt_ids = _ids(prompt)
    if found is None and values is None and prompt_ids is None:
        return None
    return TokenRecord(prompt_ids=prompt_ids, completion_ids=found, logprobs=values)


def _ids(value: Any) -> tuple[int, ...] | None:
    numbers = items(value)
    if not numbers or not all(type(number) is int for number in numbers):
        return None
    return tuple(numbers)


def _named_ids(content: Sequence[Any]) -> tuple[int, ...] | None:
    names = [text(field(entry, "token")) or "" for entry in content]
    if not names or not all(name.removeprefix(_ID).isdecimal() for name in names):
        return None
    if not all(name.startswith(_ID) for name in names):
        return None
    return tuple(int(name.removeprefix(_ID)) for name in names)


def _logprobs(content: Sequence[Any]) -> tuple[float, ...] | None:
    values = [field(entry, "logprob") for entry in content]
    if not values or not all(_is_number(value) for value in values):
        return None
    return tuple(map(float, values))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not math.isnan(value)
