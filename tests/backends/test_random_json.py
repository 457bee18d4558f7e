"""Random JSON is valid JSON: against types of every kind, drawn by hypothesis, and by hand."""

import json
import math
from collections import Counter
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from random import Random
from types import NoneType
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, IPvAnyAddress, TypeAdapter, create_model
from typing_extensions import TypedDict

from callboard.backends.output.output_type import OutputType
from callboard.backends.output.schema_writer import PlainJsonSchema
from callboard.backends.random_json import random_json
from callboard.backends.schema_merge import UnsupportedSchemaError, merged

seeds = st.integers(0, 2**32)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: int = Field(ge=1, le=9)


class Dog(BaseModel):
    kind: Literal["dog"]
    tricks: list[str] = Field(default_factory=list, max_length=3)


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []
    parent: "Tree | None" = None


class Expression(BaseModel):
    """Recursive without a way out, but for the union."""

    operands: "list[Annotated[Expression | int, Field()]]" = Field(min_length=2)


class Book(TypedDict, total=False):
    bids: list[Annotated[int, Field(gt=0)]]


def bounded_ints(low: int, span: int, step: int | None) -> Any:
    return Annotated[int, Field(ge=low, le=low + span, multiple_of=step)]


def bounded_strings(low: int, span: int) -> Any:
    return Annotated[str, Field(min_length=low, max_length=low + span)]


def model(parts: dict[str, tuple[Any, bool]]) -> Any:
    fields: dict[str, Any] = {
        name: (kind, ...) if required else (Optional[kind], None)  # noqa: UP045 - some have no `|`
        for name, (kind, required) in parts.items()
    }
    return create_model("Made", **fields)


def lists(of: Any, low: int, span: int) -> Any:
    return Annotated[list[of], Field(min_length=low, max_length=low + span)]


plain = [int, float, bool, str, NoneType, date, datetime, time, timedelta, UUID, IPvAnyAddress]
made = [Decimal, bytes, Colour, Cat, Tree, Book, Cat | Dog, Literal["a", 1] | None, set[Colour]]
generic = [dict[str, int], dict[Colour, int], tuple[int, str], tuple[int, ...]]
annotated = [
    Annotated[Cat | Dog, Field(discriminator="kind")],
    Annotated[str, Field(pattern=r"^[A-Z]{2}\d+$")],
]
simple = st.one_of(
    st.sampled_from([*plain, *made, *generic, *annotated]),
    st.builds(bounded_ints, st.integers(-(10**20), 10**20), st.integers(7, 10**6), st.none()),
    st.builds(bounded_ints, st.integers(-100, 100), st.integers(7, 99), st.integers(1, 7)),
    st.builds(bounded_strings, st.integers(0, 40), st.integers(0, 9)),
)
names = st.from_regex(r"[a-z]{1,6}", fullmatch=True).map(lambda name: f"f_{name}")
types = st.recursive(
    simple,
    lambda inner: st.one_of(
        st.builds(lists, inner, st.integers(0, 3), st.integers(0, 3)),
        inner.map(lambda kind: Optional[kind]),  # noqa: UP045 - some have no `|`
        inner.map(lambda kind: dict[str, kind]),
        st.dictionaries(names, st.tuples(inner, st.booleans()), max_size=4).map(model),
        st.tuples(inner, inner).map(lambda pair: Union[pair]),  # noqa: UP007 - the same
    ),
    max_leaves=6,
)


@given(types, seeds)
@settings(max_examples=300, deadline=None)
def test_every_value_is_valid_for_its_type(kind: Any, seed: int) -> None:
    """Whatever pydantic can describe, and whatever the seed."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    schema = adapter.json_schema(schema_generator=PlainJsonSchema)
    adapter.validate_json(json.dumps(random_json(schema, Random(seed))))


@given(types, seeds)
@settings(max_examples=200, deadline=None)
def test_strict_schemas_are_answered_too(kind: Any, seed: int) -> None:
    """What a strict server would make a model write is read back by the type it came from."""
    output = OutputType(kind)
    assert output.format.schema is not None
    value = random_json(output.schema, Random(seed))
    assert output.read(json.dumps(value)).problems == ()


@given(seeds)
def test_the_same_source_gives_the_same_value(seed: int) -> None:
    """And a schema is never changed by drawing from it."""
    schema = TypeAdapter(list[Tree]).json_schema()
    before = json.dumps(schema)
    assert random_json(schema, Random(seed)) == random_json(schema, Random(seed))
    assert json.dumps(schema) == before


@given(st.integers(-50, 50), st.integers(0, 40), seeds)
def test_integers_stay_within_their_bounds(low: int, span: int, seed: int) -> None:
    """Inclusive and exclusive ones."""
    value = random_json({"type": "integer", "minimum": low, "maximum": low + span}, Random(seed))
    assert low <= value <= low + span
    outside = {"type": "integer", "exclusiveMinimum": low - 1, "exclusiveMaximum": low + span + 1}
    assert low <= random_json(outside, Random(seed)) <= low + span


def test_integers_are_uniform() -> None:
    """Every price between the bounds is as likely as every other: a chi-squared test at 1e-6."""
    rng, draws, kinds = Random(0), 20_000, 20
    schema = {"type": "integer", "minimum": 1, "maximum": kinds}
    counts = Counter(random_json(schema, rng) for _ in range(draws))
    assert set(counts) == set(range(1, kinds + 1))
    expected = draws / kinds
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 66.0


def is_multiple(value: float, step: float) -> bool:
    return math.isclose(value / step, round(value / step), abs_tol=1e-9)


@pytest.mark.parametrize(
    ("schema", "holds"),
    [
        (True, "True"),
        ({}, "True"),
        ({"const": [1, {"a": 2}]}, 'value == [1, {"a": 2}]'),
        ({"enum": [1, "x", None], "type": ["integer", "null"]}, "value in (1, None)"),
        ({"type": ["string", "integer"]}, "isinstance(value, (str, int))"),
        ({"minimum": 3, "maximum": 4}, "3 <= value <= 4"),
        ({"type": "integer", "minimum": 2.5, "maximum": 3.5}, "value == 3"),
        ({"type": "integer", "minimum": 10**6}, "value >= 10**6"),
        ({"type": "integer", "maximum": -(10**6)}, "value <= -(10**6)"),
        ({"type": "integer", "multipleOf": 5000}, "value % 5000 == 0"),
        ({"type": "integer", "multipleOf": 1.5}, "value % 3 == 0"),
        ({"type": "number", "multipleOf": 0.01}, "is_multiple(value, 0.01)"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "0 < value <= 1"),
        ({"type": "string", "minLength": 3, "maxLength": 3}, "len(value) == 3"),
        ({"type": "string", "maxLength": 0}, 'value == ""'),
        ({"type": "string", "format": "email", "maxLength": 30}, '"@" in value'),
        ({"type": "string", "format": "unheard-of"}, "isinstance(value, str)"),
        ({"type": "string", "pattern": "^(?!ab)[ab]{2}$"}, 'value in ("aa", "ba", "bb")'),
        ({"type": "string", "pattern": r"^(yes|no)\b.?[^\w\s]*$"}, 'value[:2] in ("ye", "no")'),
        ({"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 3}]}, "value == 3"),
        ({"allOf": [{"enum": [1, 2]}, {"enum": [2, 3]}]}, "value == 2"),
        (
            {"type": "number", "allOf": [{"type": "integer", "minimum": 1, "maximum": 2}]},
            "value in (1, 2)",
        ),
        ({"anyOf": [{"type": "integer"}, False], "minimum": 7, "maximum": 7}, "value == 7"),
        ({"oneOf": [{"const": 1}, {"const": 2}]}, "value in (1, 2)"),
        (
            {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
            "sorted(value) == [1, 2, 3]",
        ),
        ({"type": "array", "items": [{"const": 1}, {"const": 2}]}, "value == [1, 2]"),
        (
            {"prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 3},
            "value == [1, 2, 2]",
        ),
        (
            {"type": "object", "required": ["a"], "additionalProperties": {"const": 1}},
            'value["a"] == 1',
        ),
        (
            {"type": "object", "minProperties": 2, "propertyNames": {"enum": ["a", "b"]}},
            'set(value) == {"a", "b"}',
        ),
        (
            {"properties": {"a": {}, "b": {}, "c": {}}, "minProperties": 2, "maxProperties": 2},
            "len(value) == 2",
        ),
        ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 5}}}, "value == 5"),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 0}, "isinstance(value, list)"),
    ],
)
def test_what_is_understood(schema: Any, holds: Any) -> None:
    """One row for each thing that a schema may say."""
    for seed in range(30):
        value = random_json(schema, Random(seed))
        assert eval(holds, {"value": value, "is_multiple": is_multiple})


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (False, "`false`"),
        ({"not": {"type": "string"}}, "not"),
        ({"type": "object", "patternProperties": {"a": {}}}, "patternProperties"),
        ({"type": "colour"}, "'colour' is no type"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "no number"),
        ({"type": "number", "exclusiveMinimum": 1, "maximum": 1}, "no number"),
        ({"type": "string", "minLength": 2, "maxLength": 1}, "no string"),
        ({"type": "string", "pattern": "("}, "not understood"),
        ({"type": "string", "pattern": r"(a)\1"}, "groupref"),
        ({"type": "string", "pattern": "^a$", "minLength": 5}, "no string was found"),
        ({"type": "string", "pattern": "a(?=b)$"}, "no string was found"),
        ({"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 2}, "different"),
        ({"type": "array", "minItems": 2, "maxItems": 1}, "2 to 1"),
        ({"anyOf": []}, "no schemas"),
        ({"anyOf": [False, {"type": "x"}]}, "false|no type"),
        ({"enum": ["a"], "type": "integer"}, "no member"),
        ({"$ref": "#/$defs/nowhere"}, "leads nowhere"),
        ({"$ref": "https://example.com/schema"}, "leads out"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "endless"),
        ({"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]}, "endless"),
        ({"allOf": [{"type": "string"}, {"type": "null"}]}, "no type satisfies"),
        ({"allOf": [{"const": 1}, {"const": 2}]}, "'const'"),
    ],
)
def test_what_is_refused(schema: Any, why: str) -> None:
    """What is not understood, and what nothing satisfies."""
    with pytest.raises(UnsupportedSchemaError, match=why):
        random_json(schema, Random(0))


def test_recursive_schemas_come_to_an_end() -> None:
    """Also where only one branch of a union leads out."""
    adapter: TypeAdapter[Any] = TypeAdapter(Expression)
    for seed in range(50):
        text = json.dumps(random_json(adapter.json_schema(), Random(seed)))
        assert len(text) < 50_000
        adapter.validate_json(text)


@given(st.integers(1, 40), st.integers(1, 40))
def test_multiples_merge_into_their_common_multiple(one: int, other: int) -> None:
    """Whole ones, and decimal ones."""
    assert merged({"multipleOf": one}, {"multipleOf": other}) == {
        "multipleOf": math.lcm(one, other)
    }
    tenth = merged({"multipleOf": one / 10}, {"multipleOf": other / 10})["multipleOf"]
    assert tenth == pytest.approx(math.lcm(one, other) / 10)
