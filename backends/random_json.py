"""Random JSON: a value that is valid against a JSON schema, drawn from a given source.

Understood is what pydantic writes and what servers enforce: types, enum and const, bounds,
lengths, patterns, formats, arrays and tuples, objects and maps, `$ref` (also recursive), `anyOf`,
`oneOf` (drawn like `anyOf`: its branches should exclude each other) and `allOf`. A keyword that
would restrict the value and is not understood is refused, never ignored.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, cast

from callboard.backends.random_number import random_integer, random_number
from callboard.backends.random_string import random_string, random_word
from callboard.backends.schema_merge import Schema, UnsupportedSchemaError, merged
from callboard.backends.schema_reference import least_depth, referenced

SPREAD = 3
"""An array or a map has at most this many more members than it must."""
ATTEMPTS = 20


def random_json(schema: Schema | bool, rng: Random, *, max_depth: int = 4) -> Any:
    """Draw a value that is valid against a schema.

    Integers are uniform over their bounds; enum members and alternatives are equally likely, and
    an optional property is there half of the time. The same source gives the same value.

    Args:
        schema: A JSON schema of draft 2020-12; `$ref` points into the schema itself.
        rng: Where the randomness comes from.
        max_depth: Levels of nesting below which only what is required is drawn.

    Raises:
        UnsupportedSchemaError: If the schema holds something that is not understood, or nothing
            satisfies it.
    """
    try:
        return _Drawing(schema, rng, max_depth).draw(schema, 0)
    except RecursionError:
        raise UnsupportedSchemaError("every value of this recursive schema is endless") from None


class _Drawing:
    """One drawing: the root that references start from, the source, and the depth limit."""

    __slots__ = ("max_depth", "rng", "root")

    def __init__(self, root: Schema | bool, rng: Random, max_depth: int) -> None:
        self.root = root
        self.rng = rng
        self.max_depth = max_depth

    def draw(self, schema: Any, depth: int) -> Any:
        if schema is False:
            raise UnsupportedSchemaError("the schema `false` has no values")
        if schema is True:
            return self._scalar()
        if not _COMBINING.isdisjoint(schema):
            return self._combined(schema, depth)
        if not _REFUSED.isdisjoint(schema):
            refused = ", ".join(sorted(_REFUSED & schema.keys()))
            raise UnsupportedSchemaError(f"nothing can be drawn from a schema with {refused}")
        if "const" in schema or "enum" in schema:
            return self._member(schema)
        return self._typed(schema, depth)

    def _typed(self, schema: Schema, depth: int) -> Any:
        kind = schema.get("type") or _implied_type(schema)
        if kind is None:
            return self._scalar()
        if isinstance(kind, list):
            kinds = [{"type": name} for name in cast("list[str]", kind)]
            rest = {key: value for key, value in schema.items() if key != "type"}
            return self._first(self._shuffled(kinds), rest, depth)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind not in _SCALARS:
            raise UnsupportedSchemaError(f"{kind!r} is no type of JSON schema")
        return _SCALARS[kind](schema, self.rng)

    def _scalar(self) -> Any:
        rng = self.rng
        return rng.choice((None, True, False, rng.randint(-1000, 1000), random_word(rng)))

    def _combined(self, schema: Schema, depth: int) -> Any:
        keyword = next(word for word in _COMBINING_ORDER if word in schema)
        rest: Any = {key: value for key, value in schema.items() if key != keyword}
        if keyword == "$ref":
            return self.draw(merged(rest, referenced(self.root, schema["$ref"])), depth)
        if keyword == "allOf":
            for part in schema["allOf"]:
                rest = merged(rest, part)
            return self.draw(rest, depth)
        branches = self._shuffled(schema[keyword])
        if depth > self.max_depth:
            branches.sort(key=lambda branch: least_depth(self.root, branch))
        return self._first(branches, rest, depth)

    def _first(self, branches: Iterable[Any], rest: Schema, depth: int) -> Any:
        """Draw from the first branch that has a value which satisfies the rest, too."""
        failure = UnsupportedSchemaError("a choice among no schemas has no values")
        for branch in branches:
            try:
                return self.draw(merged(rest, branch), depth)
            except UnsupportedSchemaError as error:
                failure = error
        raise failure

    def _shuffled(self, values: list[Any]) -> list[Any]:
        return self.rng.sample(values, len(values))

    def _member(self, schema: Schema) -> Any:
        members = [schema["const"]] if "const" in schema else schema["enum"]
        if (kind := schema.get("type")) is not None:
            members = [value for value in members if _is_of(value, kind)]
        if not members:
            raise UnsupportedSchemaError(f"no member satisfies {dict(schema)!r}")
        return self.rng.choice(members)

    def _array(self, schema: Schema, depth: int) -> list[Any]:
        items: Any = schema.get("items", True)
        first: list[Any] = schema.get("prefixItems", [])
        if isinstance(items, list):  # draft 7 wrote tuples so
            items, first = schema.get("additionalItems", True), cast("list[Any]", items)
        values = [self.draw(item, depth + 1) for item in first]
        fewest = schema.get("minItems", 0)
        count = len(values) if first else self._count(fewest, schema.get("maxItems"), depth)
        values = values[: schema.get("maxItems", len(values))]
        count = max(count, fewest)
        taken = {_canonical(value) for value in values} if schema.get("uniqueItems") else None
        for _ in range(ATTEMPTS + count):
            if len(values) >= count:
                break
            value = self.draw(items, depth + 1)
            if taken is not None:
                if (text := _canonical(value)) in taken:
                    continue
                taken.add(text)
            values.append(value)
        if len(values) < fewest:
            raise UnsupportedSchemaError(f"no {fewest} different items were found")
        return values

    def _count(self, fewest: int, most: int | None, depth: int) -> int:
        limit = fewest + SPREAD if depth < self.max_depth else fewest
        limit = limit if most is None else min(limit, most)
        if limit < fewest:
            raise UnsupportedSchemaError(f"nothing has {fewest} to {most} members")
        return self.rng.randint(fewest, limit)

    def _object(self, schema: Schema, depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", ())
        others = schema.get("additionalProperties", True)
        names = list(required)
        if len(properties) > len(names) or not properties.keys() <= set(names):
            names += self._chosen_optional(schema, depth)
        drawn = {name: self.draw(properties.get(name, others), depth + 1) for name in names}
        if (not properties and isinstance(others, Mapping)) or len(drawn) < _fewest(schema):
            self._add_others(drawn, schema, depth)
        return {name: drawn.pop(name) for name in properties if name in drawn} | drawn

    def _chosen_optional(self, schema: Schema, depth: int) -> list[str]:
        """Choose which optional properties there shall be: half of them, within the limits."""
        required = schema.get("required", ())
        most = schema.get("maxProperties", math.inf)
        chosen: list[str] = []
        for name in self._shuffled([name for name in schema["properties"] if name not in required]):
            count = len(required) + len(chosen)
            wanted = depth < self.max_depth and self.rng.random() < 0.5
            if count < _fewest(schema) or (wanted and count < most):
                chosen.append(name)
        return chosen

    def _add_others(self, drawn: dict[str, Any], schema: Schema, depth: int) -> None:
        fewest, most = _fewest(schema), schema.get("maxProperties")
        others, names = schema.get("additionalProperties", True), schema.get("propertyNames", {})
        count = self._count(max(fewest, len(drawn)), most, depth)
        for _ in range(ATTEMPTS + count):
            if len(drawn) >= count:
                return
            name = self.draw({"type": "string", **names}, depth + 1)
            if name not in schema.get("properties", {}):
                drawn.setdefault(name, self.draw(others, depth + 1))
        if len(drawn) < fewest:
            raise UnsupportedSchemaError(f"no {fewest} different property names were found")


def _null(schema: Schema, rng: Random) -> None:  # noqa: ARG001 - one signature for all types
    return None


def _boolean(schema: Schema, rng: Random) -> bool:  # noqa: ARG001 - the same
    return rng.random() < 0.5


_SCALARS: Mapping[str, Callable[[Schema, Random], Any]] = {
    "null": _null,
    "boolean": _boolean,
    "integer": random_integer,
    "number": random_number,
    "string": random_string,
}
_COMBINING_ORDER = ("$ref", "allOf", "anyOf", "oneOf")
_COMBINING = frozenset(_COMBINING_ORDER)
_REFUSED = frozenset(
    {"not", "if", "then", "else", "contains", "patternProperties", "dependentRequired"}
    | {"dependentSchemas", "$dynamicRef", "$recursiveRef"}
)
_TELLING: Mapping[str, frozenset[str]] = {
    "object": frozenset({"properties", "required", "additionalProperties", "minProperties"}),
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
    "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
    "number": frozenset(
        {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    ),
}
_PYTHON_TYPES: Mapping[str, tuple[type, ...]] = {
    "null": (type(None),),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "array": (list,),
    "object": (dict,),
}


def _fewest(schema: Schema) -> int:
    return int(schema.get("minProperties", 0))


def _implied_type(schema: Schema) -> str | None:
    return next((kind for kind, words in _TELLING.items() if not words.isdisjoint(schema)), None)


def _is_of(value: Any, kind: str | list[str]) -> bool:
    kinds = [kind] if isinstance(kind, str) else kind
    return any(
        isinstance(value, _PYTHON_TYPES.get(name, ()))
        and (name == "boolean" or not isinstance(value, bool))
        for name in kinds
    )


def _canonical(value: Any) -> str:
    """Write a value so that values equal in JSON (1 and 1.0) are equal texts."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return json.dumps(whole, sort_keys=True)
