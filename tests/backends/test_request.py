"""Requests are read leniently, never change, and carry their output type."""

import dataclasses
import math
import pickle
from typing import Any

import pytest

from callboard.backends import (
    Request,
    SamplingParams,
    Tool,
    ToolCall,
    Usage,
    UserMessage,
)
from callboard.backends.completion import Completion
from callboard.backends.messages import AssistantMessage


def test_whatever_users_hold_is_a_request() -> None:
    """A string, a dict, a message, or several of them in any mixture."""
    said = UserMessage("hi")
    for form in ("hi", {"role": "user", "content": "hi"}, said, ["hi"], (m for m in [said])):
        assert Request(form).messages == (said,)


def test_a_request_does_not_change() -> None:
    """Fields are frozen, and derived requests leave the first one alone."""
    request = Request("hi", timeout=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.timeout = 5  # type: ignore[misc] # that it fails is the point
    longer = request.extended(AssistantMessage("ho"))
    assert len(longer.messages) == 2
    assert len(request.messages) == 1
    assert longer.timeout == 3


def test_replaced_knows_its_fields() -> None:
    """A misspelt field is an error, not a silent addition."""
    assert Request("hi").replaced(timeout=3.0).timeout == 3.0
    with pytest.raises(TypeError, match="timeuot"):
        Request("hi").replaced(timeuot=3.0)


def test_requests_pickle() -> None:
    """A request crosses a process boundary whole."""
    tool = Tool(name="look", parameters={"type": "object"})
    request = Request(
        "hi",
        tools=[tool],
        output=int,
        sampling=SamplingParams(temperature=0),
        metadata={"caller": "me"},
    )
    assert pickle.loads(pickle.dumps(request)) == request
    assert pickle.loads(pickle.dumps(Request("hi"))) == Request("hi")


def test_subscripted_classes_can_be_called() -> None:
    """Users who spell the output type out get the same objects."""
    assert Request[int]("x", output=int) == Request("x", output=int)
    assert Completion[int](message=AssistantMessage("3"), parsed=3).parsed == 3


@pytest.mark.parametrize("timeout", [-1, math.nan])
def test_an_impossible_timeout_is_refused(timeout: float) -> None:
    """It is refused where it is written, not when it is used."""
    with pytest.raises(ValueError, match="seconds >= 0"):
        Request("hi", timeout=timeout)


def test_usage_adds_up() -> None:
    """A sum over steps counts each kind of token."""
    one = Usage(input=1, output=2, cached=3, reasoning=4)
    assert one + one == Usage(input=2, output=4, cached=6, reasoning=8)
    assert one.total == 3


def test_sampling_overrides_field_by_field() -> None:
    """What the later params leave out, the earlier ones decide."""
    base = SamplingParams(temperature=1.0, seed=3)
    assert base.merged(None) == base
    assert base.merged(SamplingParams(temperature=0.0)) == SamplingParams(temperature=0.0, seed=3)


def test_completions_show_text_and_refusal() -> None:
    """The usual questions have short answers."""
    call = ToolCall(id="1", name="look", arguments="{}")
    calling: Completion[Any] = Completion(message=AssistantMessage(tool_calls=(call,)))
    assert calling.text == ""
    assert calling.refusal is None
    assert Completion(message=AssistantMessage(refusal="no")).refusal == "no"
