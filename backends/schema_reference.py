"""References inside a JSON schema: where `$ref` leads, and how deep a schema's values must nest."""

import math
from typing import Any

from callboard.backends.schema_merge import Schema, UnsupportedSchemaError


def referenced(root: Schema | bool, reference: str) -> Any:
    """Return the schema that a reference names.

    Args:
        root: The whole schema.
        reference: `#`, or a JSON pointer such as `#/$defs/Point`.

    Raises:
        UnsupportedSchemaError: If it leads out of the schema, or nowhere.
    """
    if not reference.startswith("#"):
        raise UnsupportedSchemaError(f"the reference {reference!r} leads out of the schema")
    place: Any = root
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            place = place[int(name) if isinstance(place, list) else name]
        except (KeyError, ValueError, IndexError, TypeError):
            raise UnsupportedSchemaError(f"the reference {reference!r} leads nowhere") from None
    return place


def least_depth(root: Schema | bool, schema: Any, seen: frozenset[str] = frozenset()) -> float:
    """Return how deep the flattest value of a schema nests, infinite if every value is endless.

    Args:
        root: The whole schema, for references.
        schema: The part in question.
        seen: References followed on the way here.
    """
    if isinstance(schema, bool):
        return 0
    depths = [least_depth(root, part, seen) for part in schema.get("allOf", ())]
    if reference := schema.get("$ref"):
        if reference in seen:
            return math.inf
        depths.append(least_depth(root, referenced(root, reference), seen | {reference}))
    for choice in schema.keys() & {"anyOf", "oneOf"}:
        depths += [min(least_depth(root, branch, seen) for branch in schema[choice])]
    depths += [1 + least_depth(root, part, seen) for part in _needed_parts(schema)]
    return max(depths, default=0)


def _needed_parts(schema: Schema) -> list[Any]:
    properties = schema.get("properties", {})
    parts = [properties.get(name, True) for name in schema.get("required", ())]
    parts += schema.get("prefixItems", ())
    if schema.get("minItems", 0) > len(schema.get("prefixItems", ())):
        parts.append(schema.get("items", True))
    return parts
