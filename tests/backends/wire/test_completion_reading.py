"""Whole answers, read leniently: what foreign servers do wrong, row by row."""

from types import SimpleNamespace

import pytest
from openai.types.chat import ChatCompletion

from callboard.backends import (
    BackendProtocolError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ToolCall,
    Usage,
    UserMessage,
)
from callboard.backends.wire.chunk_reading import StreamedAnswer
from callboard.backends.wire.completion_reading import read_completion

SENT = (UserMessage("hi"),)


def answer(message, finish="stop", **more):
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion", "model": "m1", "choices": [choice], **more}


def read(value):
    return read_completion(value, messages=SENT, model="asked")


def call(name="add", arguments="{}", call_id="c"):
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_an_ordinary_answer():
    """Everything arrives, and the one step says what was sent."""
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    completion = read(answer({"role": "assistant", "content": "hello"}, usage=usage))
    assert (completion.text, completion.finish_reason, completion.finish_raw) == (
        "hello",
        "stop",
        "stop",
    )
    assert completion.usage == Usage(input=7, output=3, cached=2, reasoning=1)
    assert (completion.id, completion.model, completion.parsed) == ("c1", "m1", None)
    (step,) = completion.steps
    assert (step.messages, step.message, step.usage) == (
        SENT,
        completion.message,
        completion.usage,
    )


FINISH = [
    ("stop", "stop"),
    ("length", "length"),
    ("max_tokens", "length"),
    ("tool_calls", "tool_calls"),
    ("content_filter", "content_filter"),
    ("EOS", "stop"),
    ("abort", "unknown"),
    ("", "unknown"),
    (None, "unknown"),
    (17, "unknown"),
]


@pytest.mark.parametrize(("raw", "expected"), FINISH)
def test_finish_reason(raw, expected):
    """Known words become ours; unknown ones, null and nonsense are `unknown`, never an error."""
    assert read(answer({"content": "x"}, raw)).finish_reason == expected


@pytest.mark.parametrize("raw", ["stop", None, "tool_calls", "whatever"])
def test_finish_reason_with_tool_calls(raw):
    """An answer with tool calls stopped for them, whatever the server says."""
    completion = read(answer({"tool_calls": [call()]}, raw))
    assert completion.finish_reason == "tool_calls"
    assert completion.finish_raw == raw


def test_truncated_tool_call_stays_truncated():
    """A call that was cut off is not presented as whole."""
    assert read(answer({"tool_calls": [call(arguments='{"a')]}, "length")).finish_reason == "length"


CONTENT = [
    ({"content": None}, None),
    ({}, None),
    ({"content": ""}, ""),
    ({"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "ab"),
    ({"content": ["a", "b"]}, "ab"),
    ({"content": [{"type": "thinking", "thinking": []}]}, None),
    ({"content": 5}, None),
]


@pytest.mark.parametrize(("message", "expected"), CONTENT)
def test_content(message, expected):
    """Null content is no error; lists of parts are joined; nonsense is no text."""
    completion = read(answer(message))
    assert completion.message.content == expected
    assert completion.text == (expected or "")


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning(name):
    """Thinking is kept apart under either name."""
    message = read(answer({"content": "x", name: "hm"})).message
    assert (message.content, message.reasoning) == ("x", "hm")


CALLS = [
    ([call()], (ToolCall(id="c", name="add", arguments="{}"),)),
    ([call(arguments="")], (ToolCall(id="c", name="add", arguments=""),)),
    ([call(arguments=None)], (ToolCall(id="c", name="add", arguments=""),)),
    ([call(arguments={"a": 1})], (ToolCall(id="c", name="add", arguments='{"a": 1}'),)),
    ([call(call_id=None)], (ToolCall(id="call_c1_0", name="add", arguments="{}"),)),
    (
        [call(call_id="x"), call(call_id="x")],
        (
            ToolCall(id="call_c1_0", name="add", arguments="{}"),
            ToolCall(id="call_c1_1", name="add", arguments="{}"),
        ),
    ),
    ([{"function": None}], (ToolCall(id="call_c1_0", name="", arguments=""),)),
    (None, ()),
    ([], ()),
    ("nonsense", ()),
]


@pytest.mark.parametrize(("calls", "expected"), CALLS)
def test_tool_calls(calls, expected):
    """Calls keep the model's own arguments, and each has an id of its own."""
    assert read(answer({"content": None, "tool_calls": calls})).message.tool_calls == expected


def test_function_call_of_old():
    """The function call of old servers is a tool call."""
    message = {"content": None, "function_call": {"name": "f", "arguments": "{}"}}
    completion = read(answer(message, "function_call"))
    assert completion.message.tool_calls == (ToolCall(id="call_c1_0", name="f", arguments="{}"),)
    assert completion.finish_reason == "tool_calls"


USAGE = [
    (None, Usage()),
    ({}, Usage()),
    ("no", Usage()),
    ({"prompt_tokens": None, "completion_tokens": "5"}, Usage()),
    ({"prompt_tokens": True, "completion_tokens": -5}, Usage()),
    ({"prompt_tokens": 2.0, "completion_tokens": float("nan")}, Usage(input=2)),
    ({"input_tokens": 4, "output_tokens": 1}, Usage(input=4, output=1)),
    ({"prompt_tokens": 3, "prompt_cache_hit_tokens": 2}, Usage(input=3, cached=2)),
    ({"prompt_tokens": 3, "prompt_tokens_details": None}, Usage(input=3)),
]


@pytest.mark.parametrize(("usage", "expected"), USAGE)
def test_usage(usage, expected):
    """Missing and senseless counts are 0."""
    assert read(answer({"content": "x"}, usage=usage)).usage == expected


def test_nulls_everywhere():
    """Null id, object, model, index and usage do no harm."""
    choice = {"index": None, "message": {"role": None, "content": "x"}, "finish_reason": None}
    completion = read({"id": None, "object": None, "model": None, "choices": [choice]})
    assert (completion.text, completion.id, completion.model) == ("x", None, "asked")


NO_ANSWER = [
    {},
    {"choices": None},
    {"choices": []},
    {"choices": [None]},
    {"choices": "no"},
    {"choices": [{"message": None}]},
    {"choices": [{"index": 0}]},
    [],
    "<html>",
    None,
    5,
]


@pytest.mark.parametrize("value", NO_ANSWER)
def test_no_answer(value):
    """What holds no message is a protocol error that says what to check."""
    with pytest.raises(BackendProtocolError, match="base_url") as caught:
        read(value)
    assert caught.value.retryable
    assert caught.value.body is not None


ERRORS = [
    ({"error": {"message": "m", "code": 429}}, RateLimitError),
    ({"error": {"message": "m", "type": "rate_limit_error"}}, RateLimitError),
    ({"error": {"message": "m"}}, OverloadedError),
    ({"error": "down", "choices": None}, OverloadedError),
    ({"object": "error", "message": "no model", "code": 404}, NotFoundError),
]


@pytest.mark.parametrize(("value", "kind"), ERRORS)
def test_errors_in_a_success(value, kind):
    """An error that came with status 200 is the error that it says it is."""
    with pytest.raises(kind):
        read(value)


def test_text_of_legacy_completions():
    """A choice with text and no message is read as that text."""
    assert read({"choices": [{"text": "x", "finish_reason": "stop"}]}).text == "x"


def test_objects_read_like_dicts():
    """SDK objects and objects of any other make give the same completion as dicts."""
    value = answer(
        {"role": "assistant", "content": "x", "tool_calls": [call()], "reasoning_content": "r"},
        "tool_calls",
        created=1,
        usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    )
    sdk = ChatCompletion.model_validate(value)
    own = as_object(value)
    expected = read(value)
    for foreign in (sdk, ChatCompletion.model_construct(**value), own):
        completion = read(foreign)
        assert completion.message == expected.message
        assert completion.usage == expected.usage
        assert completion.finish_reason == expected.finish_reason


def as_object(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{name: as_object(item) for name, item in value.items()})
    return [as_object(item) for item in value] if isinstance(value, list) else value


def test_token_ids_and_logprobs():
    """VLLM's ids, ids in token names, and log-probabilities become one record."""
    content = [{"token": "a", "logprob": -0.1}, {"token": "b", "logprob": -0.2}]
    value = answer({"content": "ab"}, prompt_token_ids=[1, 2])
    value["choices"][0] |= {"token_ids": [3, 4], "logprobs": {"content": content}}
    tokens = read(value).tokens
    assert (tokens.prompt_ids, tokens.completion_ids) == ((1, 2), (3, 4))
    assert tokens.logprobs == (-0.1, -0.2)

    named = answer({"content": "ab"})
    named["choices"][0]["logprobs"] = {"content": [{"token": "token_id:9", "logprob": 0}]}
    assert read(named).tokens.completion_ids == (9,)
    assert read(named).logprobs == {"content": [{"token": "token_id:9", "logprob": 0}]}


def test_no_fabricated_tokens():
    """Nothing said is None, and log-probabilities that do not fit their ids are dropped."""
    assert read(answer({"content": "x"})).tokens is None
    odd = answer({"content": "ab"})
    odd["choices"][0] |= {
        "token_ids": [3, 4],
        "logprobs": {"content": [{"token": "a", "logprob": -1.0}]},
    }
    assert read(odd).tokens.completion_ids == (3, 4)
    assert read(odd).tokens.logprobs is None


@pytest.mark.parametrize(("message", "expected"), [(m, e) for m, e in CONTENT if e != ""], ids=str)
def test_a_whole_answer_as_one_chunk(message, expected):
    """A server that does not stream is read as a stream of one chunk."""
    streamed = StreamedAnswer()
    streamed.add(answer(message))
    assert streamed.completion(messages=SENT, model="m").message.content == expected
