"""Tags part thinking, calls and text, however the text is cut; nothing is lost, nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends.local.markup import Markup, Piece
from callboard.backends.local.tool_calls import WrittenCall, read_call

SHARDS = st.sampled_from(
    ["<think>", "</think>", "<tool_call>", "</tool_call>", '{"name": "f"}', "<", "th", "ink>", "a"]
)
TEXTS = st.lists(SHARDS, max_size=10).map("".join)


def split(*cuts: str, thinking: bool = True, calling: bool = True) -> list[Piece]:
    """Feed the cuts one by one, and join what is of one kind."""
    markup = Markup(thinking=thinking, calling=calling)
    pieces: list[Piece] = []
    for piece in [*(p for cut in cuts for p in markup.push(cut)), *markup.flush()]:
        last = pieces[-1] if pieces else None
        if last and last.text and piece.text:
            pieces[-1] = Piece(text=last.text + piece.text)
        elif last and last.reasoning and piece.reasoning:
            pieces[-1] = Piece(reasoning=last.reasoning + piece.reasoning)
        else:
            pieces.append(piece)
    return pieces


@given(TEXTS)
def test_cuts_do_not_matter(text: str) -> None:
    """One character at a time gives what the whole gives."""
    assert split(*text) == split(text)


@given(TEXTS)
def test_without_tags_everything_is_text(text: str) -> None:
    """Where neither thinking nor calling is marked, the text comes out as it is."""
    assert split(text, thinking=False, calling=False) == ([Piece(text=text)] if text else [])


def test_thinking_then_an_answer() -> None:
    """Thinking is kept apart, without the line breaks around its tags."""
    pieces = split("<think>\nhm\n</think>\n\nYes.")
    assert pieces == [Piece(reasoning="hm\n"), Piece(text="Yes.")]


def test_thinking_that_the_prompt_opened() -> None:
    """A template may open the thinking itself."""
    markup = Markup(thinking=True, calling=False, inside=True)
    assert markup.thinking
    assert markup.push("hm</think>Yes.") == [Piece(reasoning="hm"), Piece(text="Yes.")]
    assert not markup.thinking


def test_two_calls_and_words() -> None:
    """Each call comes whole, in order, and the words stay."""
    call = '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>'
    found = Piece(call=WrittenCall(name="f", arguments='{"x": 1}'))
    assert split(f"Let me see. {call}\n{call}") == [Piece(text="Let me see. "), found, found]


def test_a_call_that_lacks_its_end() -> None:
    """Whole JSON is a call even if the closing tag never came; half of it stays text."""
    assert split('<tool_call>{"name": "f"}') == [Piece(call=WrittenCall(name="f", arguments="{}"))]
    assert split('<tool_call>{"name": "f') == [Piece(text='<tool_call>{"name": "f')]


def test_what_is_no_call_stays_text() -> None:
    """Nothing that the model wrote is lost."""
    text = "<tool_call>please</tool_call>"
    assert split(text) == [Piece(text=text)]


@given(st.text())
def test_reading_never_raises(body: str) -> None:
    """Anything may stand between the tags."""
    read_call(body)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_reading_json_never_raises(body: object) -> None:
    """Any JSON may stand between the tags, with any JSON for its arguments."""
    read_call(json.dumps(body))
    call = read_call(json.dumps({"name": "f", "arguments": body}))
    assert call is not None
    if not isinstance(body, str):
        assert json.loads(call.arguments) == (body if body is not None else {})


@pytest.mark.parametrize("body", ["[" * 100_000, "9" * 5_000, '{"name": 3}', '{"name": ""}', "[]"])
def test_hostile_calls_are_no_calls(body: str) -> None:
    """Deep nesting, endless numbers and wrong types are text."""
    assert read_call(body) is None


def test_arguments_as_a_string_are_taken_as_json() -> None:
    """Some models write JSON in JSON."""
    call = read_call('{"name": "f", "parameters": "{\\"x\\": 1}"}')
    assert call == WrittenCall(name="f", arguments='{"x": 1}')
