"""Strict schemas: closed, complete, in words that the mode knows, and read back without loss."""

import json
from copy import deepcopy
from random import Random
from typing import Annotated, Any, Literal, Optional

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, TypeAdapter, create_model

from callboard.backends.output.output_type import OutputType
from callboard.backends.output.schema_writer import PlainJsonSchema
from callboard.backends.output.strict_schema import NotStrictError, strict_schema
from callboard.backends.random_json import random_json

KNOWN = {
    *("type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"),
    *("$ref", "$defs", "description", "pattern", "format", "multipleOf", "minimum", "maximum"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
}


class Address(BaseModel):
    """Where."""

    street: str = Field(min_length=1, description="With the number.")
    zip: str | None = None


class Person(BaseModel):
    name: Annotated[str, Field(max_length=20)]
    age: int = Field(default=30, ge=0, le=120)
    home: Address = Field(description="Where they live.")
    work: Address | None = None
    mood: Literal["good", "bad"] = "good"
    friends: list["Person"] = Field(default=[], max_length=3)


def nodes(schema: Any) -> list[dict[str, Any]]:
    """Return a schema and every schema in it."""
    found = [schema]
    inner = [schema["items"]] if "items" in schema else []
    inner += schema.get("anyOf", [])
    inner += [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    for part in inner:
        found += nodes(part)
    return found


def check(schema: Any) -> None:
    """Assert the laws of strict mode."""
    for node in nodes(schema):
        assert set(node) <= KNOWN
        assert "$ref" not in node or len(node) == 1
        if node.get("type") == "object":
            assert node["additionalProperties"] is False
            assert node["required"] == list(node["properties"])


def test_a_schema_is_completed() -> None:
    """By hand, for one of each kind."""
    schema = OutputType(Person).format.schema
    check(schema)
    assert schema is not None
    properties = schema["properties"]
    assert properties["name"] == {"type": "string", "description": "(maxLength: 20)"}
    assert properties["age"] == {
        "anyOf": [{"type": "integer", "minimum": 0, "maximum": 120}, {"type": "null"}],
        "description": "(default: 30)",
    }
    assert properties["home"] == {
        "anyOf": [{"$ref": "#/$defs/Address"}],
        "description": "Where they live.",
    }
    assert properties["work"]["anyOf"] == [{"$ref": "#/$defs/Address"}, {"type": "null"}]
    street = schema["$defs"]["Address"]["properties"]["street"]
    assert street["description"] == "With the number. (minLength: 1)"


def test_what_is_not_known_moves_into_the_description() -> None:
    """Unknown formats and lookarounds too; titles are dropped, alternatives are any of."""
    schema = {
        "type": "object",
        "title": "T",
        "properties": {
            "a": {"type": "string", "format": "uri", "title": "A"},
            "b": {"type": "string", "pattern": "^(?!x)", "format": "date"},
            "c": {"type": "string", "pattern": "^(?:x|y)$"},
            "d": {"oneOf": [{"const": 1}, {"const": 2}], "discriminator": {}},
            "e": {"allOf": [{"$ref": "#/$defs/E"}], "default": 3},
            "f": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True},
        },
        "required": ["a", "b", "c", "d", "e", "f"],
        "$defs": {"E": {"type": "integer"}},
    }
    strict = strict_schema(schema)
    check(strict)
    assert strict["properties"] == {
        "a": {"type": "string", "description": '(format: "uri")'},
        "b": {"type": "string", "format": "date", "description": '(pattern: "^(?!x)")'},
        "c": {"type": "string", "pattern": "^(?:x|y)$"},
        "d": {"anyOf": [{"const": 1}, {"const": 2}]},
        "e": {"anyOf": [{"$ref": "#/$defs/E"}], "description": "(default: 3)"},
        "f": {"type": "array", "items": {"type": "integer"}, "description": "(uniqueItems: true)"},
    }


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string"},
        {"anyOf": [{"type": "object"}]},
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object", "properties": {"a": True}},
        {"type": "object", "properties": {"a": {"description": "anything"}}},
        {"type": "object", "properties": {"a": {"prefixItems": [{}], "type": "array"}}},
        {"type": "object", "properties": {"a": {"allOf": [{"type": "string"}, {"maxLength": 1}]}}},
        {"type": "object", "patternProperties": {}},
    ],
)
def test_what_has_no_words_is_not_strict(schema: Any) -> None:
    """Free keys, tuples, any value, and several demands at once."""
    with pytest.raises(NotStrictError):
        strict_schema(schema)


def made(parts: dict[str, tuple[Any, int]]) -> Any:
    """Make a model whose fields are required, nullable, or have a default of their own."""
    fields: dict[str, Any] = {}
    for name, (kind, manner) in parts.items():
        value = random_json(TypeAdapter(kind).json_schema(), Random(0))
        default = TypeAdapter(kind).validate_python(value)
        fields[name] = [(kind, ...), (Optional[kind], None), (kind, default)][manner]  # noqa: UP045 - at run time
    return create_model("Made", **fields)


names = st.from_regex(r"[a-z]{1,5}", fullmatch=True).map(lambda name: f"f_{name}")
kinds = st.recursive(
    st.sampled_from([int, bool, float, Literal["a", "b"], Annotated[int, Field(ge=1, le=9)]]),
    lambda inner: st.one_of(
        inner.map(lambda kind: list[kind]),  # type: ignore[valid-type]  # at run time
        st.dictionaries(names, st.tuples(inner, st.integers(0, 2)), min_size=1, max_size=4).map(
            made
        ),
    ),
    max_leaves=6,
)


@given(kinds, st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_a_strict_server_makes_a_model_write_is_read_back(kind: Any, seed: int) -> None:
    """Every optional property named, null where it would have been left out."""
    output = OutputType(kind)
    assert output.format.strict
    assert output.format.schema is not None
    check(output.format.schema)
    answer = random_json(output.format.schema, Random(seed), max_depth=12)
    assert output.read(json.dumps(answer)).problems == ()


@given(kinds)
@settings(max_examples=50, deadline=None)
def test_the_original_is_left_alone(kind: Any) -> None:
    """Completion copies."""
    schema = TypeAdapter(kind).json_schema(schema_generator=PlainJsonSchema)
    before = deepcopy(schema)
    try:
        strict_schema(schema)
    except NotStrictError:
        assert schema.get("type") != "object"
    assert schema == before
