"""Requests as bodies: strict, and only what was said."""

import json

import pytest

from callboard.backends import (
    AssistantMessage,
    BadRequestError,
    ImagePart,
    Request,
    ResponseFormat,
    SamplingParams,
    SystemMessage,
    TextPart,
    Tool,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.wire.message_writing import message_body
from callboard.backends.wire.request_writing import chat_call

ADD = Tool(name="add", description="Add.", parameters={"type": "object", "properties": {}})
ADD_BODY = {
    "type": "function",
    "function": {
        "name": "add",
        "description": "Add.",
        "parameters": {"type": "object", "properties": {}},
    },
}
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}


def body(request, **options):
    return chat_call(request, model="m", **options).body()


MESSAGES = [
    (SystemMessage("s"), {"role": "system", "content": "s"}),
    (UserMessage("u", name="bob"), {"role": "user", "content": "u", "name": "bob"}),
    (
        UserMessage((TextPart("t"), ImagePart(url="data:x"), ImagePart(url="h", detail="low"))),
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "t"},
                {"type": "image_url", "image_url": {"url": "data:x"}},
                {"type": "image_url", "image_url": {"url": "h", "detail": "low"}},
            ],
        },
    ),
    (AssistantMessage("a", reasoning="not sent"), {"role": "assistant", "content": "a"}),
    (AssistantMessage(), {"role": "assistant", "content": ""}),
    (AssistantMessage(refusal="no"), {"role": "assistant", "refusal": "no"}),
    (
        AssistantMessage(tool_calls=(ToolCall(id="1", name="add", arguments='{"a'),)),
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "add", "arguments": '{"a'}}
            ],
        },
    ),
    (ToolMessage("3", "1"), {"role": "tool", "tool_call_id": "1", "content": "3"}),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES)
def test_message(message, expected):
    """Each kind of message has exactly the fields that were set."""
    assert message_body(message) == expected


def test_message_of_a_subclass():
    """A user's own kind of message is written like its base."""

    class Hint(UserMessage):
        pass

    assert message_body(Hint("x")) == {"role": "user", "content": "x"}


def test_no_message():
    """What is no message is refused by name."""
    with pytest.raises(TypeError, match="int"):
        message_body(3)


REQUESTS = [
    (Request("hi"), {}),
    (Request("hi", sampling=SamplingParams(temperature=0.0)), {"temperature": 0.0}),
    (Request("hi", sampling=SamplingParams(stop=("a", "b"))), {"stop": ["a", "b"]}),
    (Request("hi", sampling=SamplingParams(logit_bias={"5": 1.0})), {"logit_bias": {"5": 1.0}}),
    (
        Request("hi", sampling=SamplingParams(max_completion_tokens=5, seed=0, n=2, user="u")),
        {"max_completion_tokens": 5, "seed": 0, "n": 2, "user": "u"},
    ),
    (
        Request("hi", sampling=SamplingParams(top_k=4, min_p=0.1, logprobs=True, top_logprobs=2)),
        {"top_k": 4, "min_p": 0.1, "logprobs": True, "top_logprobs": 2},
    ),
    (
        Request("hi", sampling=SamplingParams(top_k=4, extra_body={"top_k": 9, "model": "other"})),
        {"top_k": 9, "model": "other"},
    ),
    (
        Request("hi", sampling=SamplingParams(reasoning_effort="low", service_tier="flex")),
        {"reasoning_effort": "low", "service_tier": "flex"},
    ),
    (Request("hi", tools=[ADD]), {"tools": [ADD_BODY]}),
    (Request("hi", tools=[ADD], tool_choice="none"), {"tools": [ADD_BODY], "tool_choice": "none"}),
    (
        Request("hi", tools=[ADD], tool_choice="add"),
        {
            "tools": [ADD_BODY],
            "tool_choice": {"type": "function", "function": {"name": "add"}},
        },
    ),
    (
        Request("hi", tools=[ADD], sampling=SamplingParams(parallel_tool_calls=False)),
        {"tools": [ADD_BODY], "parallel_tool_calls": False},
    ),
    (Request("hi", sampling=SamplingParams(parallel_tool_calls=True)), {}),
    (Request("hi", tool_choice="auto"), {}),
    (Request("hi", metadata={"caller": "x"}, timeout=3.0, output=int), {}),
    (
        Request("hi").replaced(response_format=ResponseFormat(kind="json_object")),
        {"response_format": {"type": "json_object"}},
    ),
    (
        Request("hi").replaced(
            response_format=ResponseFormat(
                kind="json_schema", name="out", schema=SCHEMA, strict=False
            )
        ),
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "out", "schema": SCHEMA, "strict": False},
            }
        },
    ),
]


@pytest.mark.parametrize(("request_", "expected"), REQUESTS)
def test_request(request_, expected):
    """A body has the model, the messages, and only what was explicitly set."""
    plain = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    assert body(request_) == plain | expected


def test_strict_tool_without_description():
    """A tool says what it was given, and leaves out the rest."""
    tool = Tool(name="t", parameters={"type": "object"}, strict=True)
    (written,) = body(Request("hi", tools=[tool]))["tools"]
    assert written["function"] == {"name": "t", "parameters": {"type": "object"}, "strict": True}


def test_tool_choice_must_be_a_tool():
    """A tool that the request does not have can't be demanded."""
    with pytest.raises(BadRequestError, match=r"'sub'.*add"):
        body(Request("hi", tools=[ADD], tool_choice="sub"))


def test_stream():
    """Streaming is asked for only when wanted, and its usage only when allowed."""
    assert "stream" not in body(Request("hi"))
    assert body(Request("hi"), stream=True)["stream"] is True
    assert "stream_options" not in body(Request("hi"), stream=True)
    with_usage = body(Request("hi"), stream=True, stream_usage=True)
    assert with_usage["stream_options"] == {"include_usage": True}


def test_defaults_give_way_field_by_field():
    """A backend's own sampling fields hold where the request says nothing."""
    defaults = SamplingParams(
        temperature=0.5, top_k=3, stop=("x",), extra_body={"a": 1}, extra_headers={"h": "1"}
    )
    mine = SamplingParams(temperature=1.0, extra_body={"b": 2})
    call = chat_call(Request("hi", sampling=mine), model="m", defaults=defaults)
    assert call.body() == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "temperature": 1.0,
        "stop": ["x"],
        "top_k": 3,
        "b": 2,
    }
    assert call.headers == {"h": "1"}
    assert defaults.extra_body == {"a": 1}


def test_arguments_of_create():
    """An injected `create` gets what it has no parameter for as extra body and headers."""
    sampling = SamplingParams(seed=1, top_k=2, extra_body={"x": 3}, extra_headers={"h": "v"})
    call = chat_call(Request("hi", sampling=sampling), model="m")
    assert call.arguments() == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "seed": 1,
        "extra_body": {"top_k": 2, "x": 3},
        "extra_headers": {"h": "v"},
    }
    assert set(chat_call(Request("hi"), model="m").arguments()) == {"model", "messages"}


def test_bodies_are_json():
    """Whatever can be written can be sent."""
    for request, _ in REQUESTS:
        assert json.loads(json.dumps(body(request))) == body(request)


def test_a_schema_format_needs_a_schema():
    """A format that could not be sent can't be made."""
    with pytest.raises(ValueError, match="schema"):
        ResponseFormat(kind="json_schema")
