"""Completes a JSON schema for servers that enforce one to the letter, as OpenAI's strict mode does.

There every object lists all its properties as required and admits no others; what was optional may
be null instead. Keywords that the mode does not know move into the description, where the model at
least reads them; bounds of numbers and arrays stay. What can't be said at all (maps with free keys,
tuples, `Any`) makes a schema that is not strict.

Source: platform.openai.com/docs/guides/structured-outputs, "Supported schemas", and the SDK's own
`openai.lib._pydantic`.
"""

import json
from collections.abc import Mapping
from typing import Any, cast

from callboard.backends.schema_merge import Schema

KEPT = frozenset(
    {"type", "enum", "const", "$ref", "description", "pattern", "format", "multipleOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"}
)
"""Keywords that strict mode knows, and whose values are no schemas."""
DROPPED = frozenset({"title", "discriminator", "deprecated", "readOnly", "writeOnly", "$comment"})
"""Annotations that tell a model nothing."""
INEXPRESSIBLE = frozenset({"patternProperties", "prefixItems", "not", "if", "then", "else"})
_WITH_PARTS = frozenset(
    {"properties", "required", "additionalProperties", "items", "anyOf", "oneOf", "allOf", "$defs"}
)
FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}
)


class NotStrictError(ValueError):
    """A schema says something that strict mode has no words for."""


def strict_schema(schema: Schema) -> dict[str, Any]:
    """Complete a schema; the original stays as it is.

    Args:
        schema: A JSON schema of an object, as pydantic writes it.

    Raises:
        NotStrictError: If strict mode has no words for what it says.
    """
    if schema.get("type") != "object":
        raise NotStrictError(f"the outermost schema must be an object, not {schema.get('type')!r}")
    return _completed(schema)


def _completed(schema: Any) -> dict[str, Any]:
    if not isinstance(schema, Mapping):
        raise NotStrictError("a value of any kind")
    return _translated(cast("Schema", schema))


def _translated(schema: Schema) -> dict[str, Any]:
    if not schema.keys() - DROPPED - {"description"}:
        raise NotStrictError("a value of any kind")
    if refused := INEXPRESSIBLE & schema.keys():
        raise NotStrictError(f"a schema with {', '.join(sorted(refused))}")
    kept = {key: value for key, value in schema.items() if _is_known(key, value)}
    parts = _parts(schema)
    moved = schema.keys() - kept.keys() - DROPPED - _WITH_PARTS
    notes = [f"{key}: {json.dumps(schema[key])}" for key in schema if key in moved]
    return _alone(_described({**kept, **parts}, notes))


def _parts(schema: Schema) -> dict[str, Any]:
    """Complete the schemas inside a schema."""
    parts: dict[str, Any] = _closed(schema) if schema.get("type") == "object" else {}
    if "items" in schema:
        parts["items"] = _completed(schema["items"])
    for choice in schema.keys() & {"anyOf", "oneOf"}:
        parts["anyOf"] = [_completed(branch) for branch in schema[choice]]
    if "$defs" in schema:
        parts["$defs"] = {name: _completed(part) for name, part in schema["$defs"].items()}
    return {**parts, **_single(schema["allOf"])} if "allOf" in schema else parts


def _is_known(key: str, value: Any) -> bool:
    if key == "pattern":
        return "(?" not in value.replace("(?:", "")
    return value in FORMATS if key == "format" else key in KEPT


def _single(parts: list[Any]) -> dict[str, Any]:
    if len(parts) != 1:
        raise NotStrictError("a schema that demands several others at once")
    return _completed(parts[0])


def _closed(schema: Schema) -> dict[str, Any]:
    if schema.get("additionalProperties", False) is not False:
        raise NotStrictError("an object with free keys")
    required = schema.get("required", ())
    properties = {
        name: _completed(part) if name in required else _nullable(_completed(part))
        for name, part in schema.get("properties", {}).items()
    }
    return {
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    if _takes_null(schema):
        return schema
    branches = schema.pop("anyOf") if schema.keys() <= {"anyOf", "description"} else None
    hoisted = {"description": schema.pop("description")} if "description" in schema else {}
    return {"anyOf": [*(branches or [schema]), {"type": "null"}], **hoisted}


def _takes_null(schema: Schema) -> bool:
    kind = schema.get("type")
    return (
        kind == "null" or "null" in (kind or ()) or any(map(_takes_null, schema.get("anyOf", ())))
    )


def _described(schema: dict[str, Any], notes: list[str]) -> dict[str, Any]:
    if notes:
        words = [schema["description"]] if "description" in schema else []
        schema["description"] = " ".join([*words, f"({'; '.join(notes)})"])
    return schema


def _alone(schema: dict[str, Any]) -> dict[str, Any]:
    """A reference must stand alone in strict mode; its description goes around it."""
    if "$ref" not in schema or len(schema) == 1:
        return schema
    return {"anyOf": [{"$ref": schema.pop("$ref")}], **schema}
