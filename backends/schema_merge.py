"""Merges JSON schemas: one schema that demands what each of two demands.

The result is for drawing values from, so annotations (title, description, default) of either side
may be lost, and what can't be expressed as one flat schema is kept in `allOf` or refused.
"""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
"""A JSON schema, draft 2020-12, of which the part that pydantic and OpenAI use is understood."""


class UnsupportedSchemaError(ValueError):
    """No value can be drawn from a JSON schema: it is not understood, or nothing satisfies it."""


def merged(left: Any, right: Any) -> Any:
    """Return the schema of the values that satisfy both.

    Args:
        left: A schema, or a boolean as JSON schema has them.
        right: The other.

    Raises:
        UnsupportedSchemaError: If nothing satisfies both, or no schema we can write says so.
    """
    if left is True or right is True:
        return right if left is True else left
    if left is False or right is False:
        raise UnsupportedSchemaError("the schema `false` has no values")
    result = dict(left)
    for key, value in right.items():
        if key in result and result[key] != value:
            _merge_key(result, key, value)
        else:
            result[key] = value
    return result


def _merge_key(into: dict[str, Any], key: str, value: Any) -> None:
    if key in _KEPT_ASIDE:
        into["allOf"] = [*into.get("allOf", ()), {key: value}]
    elif rule := _RULES.get(key):
        into[key] = rule(into[key], value)
    elif key not in _ANNOTATIONS:
        raise UnsupportedSchemaError(f"two schemas that differ in {key!r} can't be merged")


def _properties(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    both = {name: merged(left[name], right[name]) for name in left.keys() & right.keys()}
    return {**left, **right, **both}


def _types(left: Any, right: Any) -> str | list[str]:
    ours, theirs = _listed(left), _listed(right)
    if "number" in ours and "integer" in theirs:
        ours = [*ours, "integer"]
    if "number" in theirs and "integer" in ours:
        theirs = [*theirs, "integer"]
    common = _some([name for name in ours if name in theirs], "type")
    return common[0] if len(common) == 1 else common


def _enums(left: list[Any], right: list[Any]) -> list[Any]:
    return _some([value for value in left if value in right], "enum")


def _some(values: list[Any], what: str) -> list[Any]:
    if not values:
        raise UnsupportedSchemaError(f"no {what} satisfies both schemas")
    return values


def _listed(kind: str | list[str]) -> list[str]:
    return [kind] if isinstance(kind, str) else kind


def _common_multiple(left: float, right: float) -> float:
    one, other = Fraction(str(left)), Fraction(str(right))
    denominator = math.lcm(one.denominator, other.denominator)
    steps = math.lcm(int(one * denominator), int(other * denominator))
    common = Fraction(steps, denominator)
    return int(common) if common.denominator == 1 else float(common)


def _union(left: list[str], right: list[str]) -> list[str]:
    return [*left, *(name for name in right if name not in left)]


_KEPT_ASIDE = frozenset({"$ref", "anyOf", "oneOf"})
_ANNOTATIONS = frozenset(
    {"$defs", "title", "description", "default", "examples", "deprecated", "discriminator", "$id"}
    | {"$comment", "$schema", "readOnly", "writeOnly", "definitions"}
)
_RULES: dict[str, Callable[[Any, Any], Any]] = {
    "type": _types,
    "enum": _enums,
    "properties": _properties,
    "required": _union,
    "items": merged,
    "additionalProperties": merged,
    "propertyNames": merged,
    "minimum": max,
    "exclusiveMinimum": max,
    "maximum": min,
    "exclusiveMaximum": min,
    "multipleOf": _common_multiple,
    "minLength": max,
    "maxLength": min,
    "minItems": max,
    "maxItems": min,
    "minProperties": max,
    "maxProperties": min,
    "uniqueItems": lambda left, right: left or right,
    "allOf": lambda left, right: [*left, *right],
}
