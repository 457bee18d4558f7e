"""Streamed answers, chunk by chunk."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletionChunk

from callboard.backends import (
    BackendProtocolError,
    ConnectionFailedError,
    Delta,
    OverloadedError,
    ToolCall,
    Usage,
)
from callboard.backends.wire.chunk_reading import StreamedAnswer


def chunk(delta=None, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "model": "m1", "choices": [choice], **more}


def piece(index=None, call_id=None, name=None, arguments=None):
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "function": function}


def read(*chunks, ended=True):
    answer = StreamedAnswer()
    deltas = [delta for value in chunks for delta in answer.add(value)]
    return deltas, answer.completion(messages=(), model="asked", ended=ended)


def test_text_reasoning_and_usage():
    """Words become deltas and the whole; the usage comes in a chunk without choices."""
    usage = {"id": "c1", "choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2}}
    deltas, completion = read(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "hm"}),
        chunk({"content": "a"}),
        chunk({"content": "b"}),
        chunk({}, "stop"),
        usage,
    )
    assert deltas == [
        Delta(kind="reasoning", text="hm"),
        Delta(kind="text", text="a"),
        Delta(kind="text", text="b"),
    ]
    assert (completion.text, completion.message.reasoning) == ("ab", "hm")
    assert completion.usage == Usage(input=5, output=2)
    assert (completion.finish_reason, completion.id, completion.model) == ("stop", "c1", "m1")
    assert completion.steps[0].message == completion.message


def test_refusal():
    """A refusal is streamed as such."""
    deltas, completion = read(chunk({"refusal": "I "}), chunk({"refusal": "won't"}, "stop"))
    assert [delta.kind for delta in deltas] == ["refusal", "refusal"]
    assert (completion.refusal, completion.message.content) == ("I won't", None)


ADD, SUB = (
    ToolCall(id="x", name="add", arguments='{"a": 1}'),
    ToolCall(id="y", name="sub", arguments="{}"),
)
PIECES = {
    "by index": [
        piece(0, "x", "add", ""),
        piece(1, "y", "sub", ""),
        piece(0, None, None, '{"a": '),
        piece(1, None, None, "{}"),
        piece(0, None, None, "1}"),
    ],
    "without index": [
        piece(None, "x", "add", '{"a"'),
        piece(None, None, None, ": 1}"),
        piece(None, "y", "sub", "{}"),
    ],
    "without index, ids repeated": [
        piece(None, "x", "add", '{"a"'),
        piece(None, "x", None, ": 1}"),
        piece(None, "y", "sub", ""),
        piece(None, "y", "sub", "{}"),
    ],
    "always index 0": [piece(0, "x", "add", '{"a": 1}'), piece(0, "y", "sub", "{}")],
    "a fresh id for every piece": [
        piece(0, "x", "add", '{"a"'),
        piece(0, "z1", None, ": "),
        piece(0, "z2", None, "1}"),
        piece(1, "y", "sub", "{}"),
    ],
    "arguments as object": [
        piece(0, "x", "add", {"a": 1}),
        piece(1, "y", "sub", {}),
    ],
    "empty id later": [
        piece(0, "x", "add", '{"a": '),
        piece(0, "", "", "1}"),
        piece(1, "y", "sub", "{}"),
    ],
}


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES.keys())
def test_tool_calls_in_pieces(pieces):
    """Pieces find their call, however the server numbers them."""
    chunks = [chunk({"tool_calls": [value]}) for value in pieces]
    deltas, completion = read(*chunks, chunk({}, "tool_calls"))
    assert completion.message.tool_calls == (ADD, SUB)
    assert {delta.kind for delta in deltas} == {"tool_call"}
    for position, call in enumerate((ADD, SUB)):
        own = [delta for delta in deltas if delta.index == position]
        assert "".join(delta.text for delta in own) == call.arguments
        assert (own[-1].call_id, own[-1].name) == (call.id, call.name)


def test_tool_call_without_id():
    """A call that never got an id is given one."""
    _, completion = read(chunk({"tool_calls": [piece(0, None, "f", "{}")]}, "stop"))
    assert completion.message.tool_calls == (ToolCall(id="call_c1_0", name="f", arguments="{}"),)
    assert completion.finish_reason == "tool_calls"


def test_function_call_of_old():
    """A streamed function call of old servers is one tool call."""
    _, completion = read(
        chunk({"function_call": {"name": "f", "arguments": ""}}),
        chunk({"function_call": {"arguments": "{}"}}, "function_call"),
    )
    assert completion.message.tool_calls == (ToolCall(id="call_c1_0", name="f", arguments="{}"),)


def test_further_choices_are_left_out():
    """Only the first of several choices is read."""
    other = {"choices": [{"index": 1, "delta": {"content": "no"}}]}
    assert read(chunk({"content": "yes"}), other)[1].text == "yes"


EMPTY = [
    [],
    [{"choices": None}],
    [{"choices": []}],
    [{"choices": [None]}],
    ["nonsense"],
    [None],
]


@pytest.mark.parametrize("chunks", EMPTY)
def test_a_stream_without_an_answer(chunks):
    """A stream in which nobody says anything is a protocol error."""
    with pytest.raises(BackendProtocolError, match="no chunk"):
        read(*chunks)


def test_an_error_in_the_stream():
    """An error among the chunks is raised as what it is."""
    with pytest.raises(OverloadedError, match="boom"):
        read(chunk({"content": "a"}), {"error": {"message": "boom"}})


def test_a_stream_that_breaks_off():
    """Without a finish reason and without an end the answer is not whole."""
    with pytest.raises(ConnectionFailedError) as caught:
        read(chunk({"content": "a"}), ended=False)
    assert caught.value.retryable
    assert read(chunk({"content": "a"}, "stop"), ended=False)[1].text == "a"
    assert read(chunk({"content": "a"}))[1].finish_reason == "unknown"


def test_tokens():
    """Ids and log-probabilities add up over the chunks."""
    first = chunk({"content": "a"}, prompt_token_ids=[1])
    first["choices"][0] |= {"token_ids": [5], "logprobs": {"content": [{"logprob": -0.5}]}}
    second = chunk({"content": "b"}, "stop")
    second["choices"][0] |= {"token_ids": [6], "logprobs": {"content": [{"logprob": -0.25}]}}
    tokens = read(first, second)[1].tokens
    assert (tokens.prompt_ids, tokens.completion_ids) == ((1,), (5, 6))
    assert tokens.logprobs == (-0.5, -0.25)


def test_sdk_chunks_read_like_dicts():
    """The SDK's own objects give the same answer."""
    values = [
        chunk({"content": "a"}, object="chat.completion.chunk", created=1),
        chunk({"tool_calls": [piece(0, "x", "f", "{}")]}, object="x", created=1),
        chunk({}, "stop", object="x", created=1),
    ]
    objects = [ChatCompletionChunk.model_construct(**value) for value in values]
    kind = {"object": "chat.completion.chunk"}
    validated = [ChatCompletionChunk.model_validate(value | kind) for value in values]
    expected = read(*values)
    for foreign in (objects, validated):
        deltas, completion = read(*foreign)
        assert deltas == expected[0]
        assert completion.message == expected[1].message


@given(st.lists(st.text(max_size=5)), st.lists(st.text(max_size=5)))
def test_nothing_is_lost(words, arguments):
    """Text and arguments are the concatenation of their pieces, and so are the deltas."""
    chunks = [chunk({"content": word}) for word in words]
    chunks += [chunk({"tool_calls": [piece(0, "x", "f", part)]}) for part in arguments]
    deltas, completion = read(*chunks, chunk({}, "stop"))
    assert completion.text == "".join(words)
    assert "".join(d.text for d in deltas if d.kind == "text") == completion.text
    if arguments:
        assert completion.message.tool_calls[0].arguments == "".join(arguments)
