"""Drops the nulls with which a model leaves out what it was made to name.

Servers that enforce a schema to the letter know no optional properties: each is required, and may
be null instead. Where the type itself does not take null, null therefore means "the default".
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError


def without_refused_nulls(value: Any, error: ValidationError) -> bool:
    """Delete, in place, the properties that were refused for being null.

    Args:
        value: What was refused, as parsed JSON.
        error: How pydantic refused it.

    Returns:
        Whether anything was deleted, so that another try is worth it.
    """
    places = [one["loc"] for one in error.errors(include_url=False) if one["input"] is None]
    dropped = [_drop(value, place) for place in places]
    return any(dropped)


def _drop(value: Any, place: Sequence[int | str]) -> bool:
    """Delete the null at a place; parts that are no keys are pydantic's names for alternatives."""
    owner: Any = {}
    key: int | str = ""
    for part in place:
        if _holds(value, part):
            owner, key, value = value, part, value[part]
    if isinstance(owner, dict) and key in owner and value is None:
        del owner[key]
        return True
    return False


def _holds(value: Any, part: int | str) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list) and isinstance(part, int)
