"""Says what is wrong with a value, in short sentences that a model can act on."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

LIMIT = 8
"""Problems told at most; more would bury the first."""
INPUT_LIMIT = 80
"""Characters quoted of the offending value."""


def problems_of(error: ValidationError) -> tuple[str, ...]:
    """Turn a validation error into sentences, each with the place, the rule and the value.

    Args:
        error: What pydantic raised.
    """
    found = error.errors(include_url=False, include_context=False)
    told = [_sentence(one["loc"], one["msg"], one["type"], one["input"]) for one in found[:LIMIT]]
    if len(found) > LIMIT:
        told.append(f"and {len(found) - LIMIT} more problems")
    return tuple(told)


def _sentence(place: Sequence[int | str], message: str, kind: str, value: Any) -> str:
    words = message[:1].lower() + message[1:]
    if kind == "json_invalid":
        return f"it is no valid JSON: {words.removeprefix('invalid JSON: ')}"
    where = _path(place) or "the answer"
    return f"{where}: {words}" if kind == "missing" else f"{where}: {words}, got {_quoted(value)}"


def _path(place: Sequence[int | str]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def _quoted(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= INPUT_LIMIT else text[:INPUT_LIMIT] + "..."
