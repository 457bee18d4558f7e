"""tool: schemas from signatures, validated arguments, and refusals at declaration."""

import json
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial
from random import Random
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from callboard.backends import Request, Tool, tool
from callboard.backends.random_json import random_json
from callboard.backends.tool import to_tool


class Side(Enum):
    BID = "bid"
    ASK = "ask"


class Filter(BaseModel):
    low: int = 0
    high: int | None = None


@dataclass
class Where:
    market: str


def search(  # noqa: D417 - what it leaves unsaid is part of the test
    query: str,
    side: Side = Side.BID,
    depth: Annotated[int, Field(ge=1, le=5, description="How many.")] = 1,
    kind: Literal["a", "b"] | None = None,
    within: Filter | None = None,
    where: Where = Where("main"),  # noqa: B008 - what users write
    limit: int = Field(default=3, le=9),
    _schema: list[int] = [],  # noqa: B006 - the same
) -> str:
    """Search the book.

    Args:
        query: What to look for.
        depth: Not this one.
        within: Which prices.
    """
    return f"{query} {side} {depth} {kind} {within} {where} {limit} {_schema}"


@tool(name="look_up", description="Look.", strict=True, timeout=2.0)
def decorated(word: str, times: int = 1) -> str:
    """Ignored."""
    return word * times


def test_a_signature_becomes_a_schema() -> None:
    """Types, bounds, defaults and descriptions, and no titles."""
    made = tool(search)
    assert (made.name, made.description) == ("search", "Search the book.")
    assert made.function is search
    parameters = made.parameters
    assert parameters["type"] == "object"
    assert parameters["required"] == ["query"]
    assert parameters["additionalProperties"] is False
    properties = parameters["properties"]
    assert list(properties) == [
        "query", "side", "depth", "kind", "within", "where", "limit", "_schema",
    ]  # fmt: skip
    assert properties["query"] == {"type": "string", "description": "What to look for."}
    assert properties["depth"] == {
        "type": "integer", "minimum": 1, "maximum": 5, "description": "How many.", "default": 1,
    }  # fmt: skip
    assert properties["side"]["default"] == "bid"
    assert properties["limit"] == {"type": "integer", "maximum": 9, "default": 3}
    assert properties["where"]["default"] == {"market": "main"}
    assert properties["within"]["description"] == "Which prices."
    assert "title" not in parameters


def test_a_decorated_function_stays_callable() -> None:
    """As if it had never become a tool."""
    assert isinstance(decorated, Tool)
    assert decorated("ab", times=2) == "abab"
    assert (decorated.name, decorated.description, decorated.timeout) == ("look_up", "Look.", 2.0)


def test_a_strict_tool_has_a_complete_schema() -> None:
    """And a null means the default."""
    assert decorated.strict
    assert decorated.parameters["required"] == ["word", "times"]
    reading = read(decorated, '{"word": "a", "times": null}')
    assert reading == ((), {"word": "a"}, ())


def read(made: Tool, text: str) -> tuple[Any, Any, Any]:
    assert made.function is not None
    found = made.arguments.read(text, made.function, empty=False)
    return found.args, found.kwargs, found.problems


def test_arguments_are_coerced() -> None:
    """The function gets what its annotations say, defaults of `Field` included."""
    wanted = {"side": "ask", "depth": "2", "within": {"low": 1}, "where": {"market": "m"}}
    args, kwargs, problems = read(tool(search), json.dumps({"query": "x", **wanted}))
    assert (args, problems) == ((), ())
    assert kwargs == {
        "query": "x", "side": Side.ASK, "depth": 2, "within": Filter(low=1),
        "where": Where("m"), "limit": 3,
    }  # fmt: skip
    assert search(**kwargs)


def untyped(query, depth: int) -> None: ...
def variadic(*queries: str) -> None: ...
def open_ended(query: str, **options: str) -> None: ...
def opaque(fine: int, lock: "Opaque") -> None: ...
def unresolved(query: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - the point
def called(action: Callable[[int], int]) -> None: ...


class Opaque:
    def method(self, query: str) -> str:
        """Search."""
        return query

    def __call__(self, query: str, depth: int = 1) -> str:
        """Call."""
        return query * depth


@pytest.mark.parametrize(
    ("function", "named"),
    [
        (untyped, "'query'.*'untyped'.*has no type"),
        (variadic, r"\*queries"),
        (open_ended, r"\*\*options"),
        (opaque, "'lock'.*'opaque'"),
        (unresolved, "'unresolved'.*Nowhere"),
        (called, "'action'.*'called'"),
        (Opaque.method, "'self'.*bound method"),
        (lambda query: query, "'query'"),
    ],
)
def test_what_can_not_be_described_is_refused(function: Any, named: str) -> None:
    """Where it is declared, by the parameter's name; so does a Request."""
    with pytest.raises(TypeError, match=named):
        tool(function)
    with pytest.raises(TypeError, match=named):
        Request("hi", tools=[function])


def test_a_tool_that_can_not_be_strict_is_refused() -> None:
    """Free keys have no words there."""

    def store(values: dict[str, int]) -> None: ...

    with pytest.raises(TypeError, match="can't be strict"):
        tool(strict=True)(store)


def test_methods_partials_and_callable_objects() -> None:
    """What is bound is not the model's to give."""
    service = Opaque()
    assert tool(service.method).name == "method"
    assert list(tool(service.method).parameters["properties"]) == ["query"]
    bound = tool(partial(search, "fixed", depth=2))
    assert bound.name == "search"
    assert "query" not in bound.parameters["properties"]
    assert "depth" not in bound.parameters["properties"]
    assert bound.parameters["properties"]["within"]["description"] == "Which prices."
    called = tool(service)
    assert (called.name, called.description) == ("Opaque", "Call.")
    assert list(called.parameters["properties"]) == ["query", "depth"]


def test_positional_only_parameters_are_passed_by_position() -> None:
    """Models know names alone."""

    def power(base: int, exponent: int = 2, /, *, negative: bool = False) -> int:
        return base**exponent * (-1 if negative else 1)

    assert read(tool(power), '{"base": 3, "negative": true}') == ((3,), {"negative": True}, ())


def test_an_external_tool_can_not_be_called() -> None:
    """There is nothing to call."""
    with pytest.raises(TypeError, match="external"):
        Tool(name="ask", parameters={})()


def test_to_tool_takes_both() -> None:
    """Tools as they are, functions described."""
    assert to_tool(decorated) is decorated
    assert to_tool(search).name == "search"


@pytest.mark.parametrize(
    "made", [decorated, tool(search), Tool(name="x", parameters={"type": "object"})]
)
def test_tools_pickle(made: Tool) -> None:
    """By the name of their function; validation is rebuilt."""
    copy = pickle.loads(pickle.dumps(made))
    assert copy == made
    assert copy.arguments.described == made.arguments.described


arguments = st.one_of(
    st.none(),
    st.integers(),
    st.text(max_size=3),
    st.dictionaries(st.text(max_size=3), st.none(), max_size=2),
)
names = st.sampled_from(["query", "depth", "side", "within", "other"])
texts = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "null", "{}", "[]", "3", '"x"', '{"query"', '{"query": 1}', "{" * 1000]),
    st.dictionaries(names, arguments).map(json.dumps),
)


@given(texts)
def test_whatever_a_model_writes_is_read_or_refused(text: str) -> None:
    """Never an exception; and what is read can be called."""
    _, kwargs, problems = read(tool_of_search, text)
    assert problems or search(**kwargs)


tool_of_search = tool(search)


@given(st.integers(0, 2**32))
def test_arguments_that_fit_the_schema_are_read(seed: int) -> None:
    """Whatever the random policy makes of the schema."""
    text = json.dumps(random_json(tool_of_search.parameters, Random(seed)))
    args, kwargs, problems = read(tool_of_search, text)
    assert (args, problems) == ((), ())
    assert search(**kwargs)
