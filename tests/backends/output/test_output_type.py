"""OutputType: schemas for asking, and reading what came back."""

import gc
import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, Literal
from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model
from typing_extensions import TypedDict

from callboard.backends.output.output_type import CACHED, OutputType, output_type


class Quote(BaseModel):
    price: int = Field(ge=1, le=20)
    note: str = "none"
    limit: int | None = 5


class Node(BaseModel):
    name: str
    children: list["Node"] = []


class Holder(BaseModel):
    item: Quote | Node
    others: list[Quote] = []


@dataclass
class Point:
    x: int
    tags: list[str] = field(default_factory=list)


class Pair(TypedDict):
    left: int


class Colour(Enum):
    RED = "red"


def test_a_model_is_asked_for_as_itself() -> None:
    """Its bounds stay, and titles made of names don't."""
    output = OutputType(Quote)
    assert not output.wrapped
    assert output.schema["properties"]["price"] == {"type": "integer", "minimum": 1, "maximum": 20}
    assert output.format.name == "Quote"
    assert output.format.strict


@pytest.mark.parametrize(
    "kind", [int, bool, Colour, Literal[1, 2], list[int], int | None, Quote | Node]
)
def test_what_is_no_object_travels_in_one(kind: Any) -> None:
    """Servers enforce schemas of objects alone."""
    output = OutputType(kind)
    assert output.wrapped
    assert output.schema["type"] == "object"
    assert output.schema["required"] == ["value"]
    assert set(output.schema) - {"$defs"} == {
        "type",
        "properties",
        "required",
        "additionalProperties",
    }
    assert output.format.strict


def test_a_recursive_model_is_an_object_outermost() -> None:
    """Pydantic would write a reference there, which servers refuse."""
    output = OutputType(Node)
    assert output.schema["type"] == "object"
    assert output.format.strict
    assert output.read('{"name": "a", "children": [{"name": "b"}]}').value.children[0].name == "b"


@pytest.mark.parametrize("kind", [dict[str, int], tuple[int, str], list[Any], Any])
def test_what_strict_mode_can_not_say_is_not_strict(kind: Any) -> None:
    """The schema is sent as it is."""
    output = OutputType(kind)
    assert not output.format.strict
    assert output.format.schema == output.schema


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Quote, '{"price": 1, "note": null, "limit": null}', Quote(price=1, limit=None)),
        (Holder, '{"item": {"price": 1}, "others": null}', Holder(item=Quote(price=1))),
        (Holder, '{"item": {"price": 1, "note": null}}', Holder(item=Quote(price=1))),
        (
            Holder,
            '{"item": {"price": 1}, "others": [{"price": 2, "note": null}]}',
            Holder(item=Quote(price=1), others=[Quote(price=2)]),
        ),
        (list[Quote], '{"value": [{"price": 3, "note": null}]}', [Quote(price=3)]),
        (Point, '{"x": 1, "tags": null}', Point(1)),
        (Annotated[int, Field(ge=3)], '{"value": 3}', 3),
        (dict[str, int], '{"value": 3}', {"value": 3}),
        (Pair, '{"left": 3}', {"left": 3}),
        (Pair | None, '{"value": {"left": 3}}', {"left": 3}),
        (Pair | None, "null", None),
        (str, " any {words ", " any {words "),
    ],
)
def test_what_is_read(kind: Any, text: str, value: Any) -> None:
    """Nulls that stand for defaults, wrapped values, and bare ones."""
    reading = OutputType(kind).read(text)
    assert reading.problems == ()
    assert reading.value == value


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        (Quote, "{", "it is no valid JSON: "),
        (Quote, '{"price": 99}', "price: input should be less than or equal to 20, got 99"),
        (Quote, '{"note": "x"}', "price: field required"),
        (Quote, '{"price": null}', "price: field required"),
        (Holder, '{"item": 3}', "got 3"),
        (int, '{"value": "x"}', "the answer: "),
        (list[int], '{"value": [1, "x"]}', "the answer: "),
        (Literal["a"], '"b"', "the answer: input should be 'a', got 'b'"),
    ],
)
def test_what_is_wrong_is_said_shortly(kind: Any, text: str, problem: str) -> None:
    """The place, the rule and the value, and no link to a manual."""
    problems = OutputType(kind).read(text).problems
    assert any(problem in one for one in problems), problems
    assert all("pydantic" not in one and "\n" not in one for one in problems)


def test_many_problems_are_counted_not_told() -> None:
    """And a long value is quoted in part."""
    reading = OutputType(list[int]).read(json.dumps(["x" * 500] * 50))
    assert reading.problems[-1] == "and 42 more problems"
    assert all(len(problem) < 250 for problem in reading.problems)


@pytest.mark.parametrize(
    ("text", "prose", "price"),
    [
        ('```json\n{"price": 1}\n```', False, 1),
        ('```\n{"price": 1}\n```', False, 1),
        ('```{"price": 1}```', False, 1),
        ('<think>{"price": 9}</think>{"price": 1}', False, 1),
        ('thinking without its tag</think>\n{"price": 1}', False, 1),
        ('It is {"price": 1}.', False, None),
        ('It is {"price": 1}.', True, 1),
        ('Like {"price": 99}? No: {"price": 1}', True, 1),
        ('As in {this}:\n```json\n{"price": 1}\n```\nDone.', True, 1),
        ("<think>never ends", True, None),
        ("", True, None),
        ("{" * 5000, True, None),
        ("[" * 5000, True, None),
        ("```" * 5000, True, None),
        ('{"price": 1', True, None),
    ],
)
def test_json_is_found_in_what_stands_around_it(text: str, prose: bool, price: int | None) -> None:
    """Fences and thinking always, words only where nobody promised a schema."""
    reading = OutputType(Quote).read(text, prose=prose)
    assert bool(reading.problems) == (price is None)
    assert price is None or reading.value.price == price


@given(st.text(), st.booleans())
def test_garbage_is_a_problem_and_never_an_exception(text: str, prose: bool) -> None:
    """Whatever a model writes."""
    for kind in (Quote, int, list[int], Holder):
        reading = output_type(kind).read(text, prose=prose)
        assert reading.problems or reading.value is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["value", "price", "item", "note", "name"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(json_values)
def test_wrong_json_is_a_problem_and_never_an_exception(value: Any) -> None:
    """Whatever its shape, nulls in every place included."""
    for kind in (Quote, int, list[Quote], Holder, Node, Quote | None):
        output_type(kind).read(json.dumps(value))


def test_types_are_remembered_but_not_for_ever() -> None:
    """The same type is described once; those made at run time don't pile up."""
    assert output_type(Quote) is output_type(Quote)
    assert output_type(int | None) is output_type(int | None)
    assert output_type(bool) is not output_type(int)
    made = create_model("Made", price=(int, Field(ge=1, le=3)))
    gone = ref(made)
    assert output_type(made).read('{"price": 3}').value.price == 3
    del made
    for high in range(CACHED):
        output_type(create_model(f"Made{high}", price=(int, ...)))
    gc.collect()
    assert gone() is None


def test_types_without_a_hash_are_read_too() -> None:
    """`Annotated` with a Field has none in some versions of pydantic."""

    class Unhashable:
        __hash__ = None  # type: ignore[assignment]  # that is the point

    kind = Annotated[int, Field(ge=3), Unhashable()]
    assert output_type(kind).read('{"value": 2}').problems
    assert output_type(kind).read('{"value": 3}').value == 3


class Opaque:
    pass


@pytest.mark.parametrize("kind", ["NoSuchName", 3, Opaque, list[Opaque]])
def test_what_can_not_be_described_is_refused(kind: Any) -> None:
    """As a TypeError that says so."""
    with pytest.raises(TypeError, match="can't be an output type"):
        output_type(kind)
