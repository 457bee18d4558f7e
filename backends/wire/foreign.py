"""Looks into foreign answers, be they dicts or objects, and believes nothing about their types.

Servers send null where a list belongs, numbers as strings, objects for text; injected clients hand
out dicts, SDK objects or objects of their own. Each of these functions returns what it was asked
for, or the empty value of that kind.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast


def field(value: Any, name: str) -> Any:
    """Return a field of a mapping or an attribute of an object, None where there is none."""
    if type(value) is dict:
        return cast("dict[str, Any]", value).get(name)
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(name)
    return getattr(value, name, None)


def text(value: Any) -> str | None:
    """Return a string as it is, and None for everything else."""
    return value if isinstance(value, str) else None


def items(value: Any) -> Sequence[Any]:
    """Return a list or tuple as it is, and an empty one for everything else."""
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else ()


def count(value: Any) -> int:
    """Return a count of tokens, 0 for whatever is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0
    return int(value) if 0 <= value < 2**53 else 0


def as_json_text(value: Any) -> str:
    """Return arguments as JSON text: strings as they are, objects written out, null as ''."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(plain(value))


def plain(value: Any) -> Any:
    """Return an SDK object as plain data; everything else as it is."""
    dump: Any = getattr(value, "model_dump", None)
    return dump() if callable(dump) else value
