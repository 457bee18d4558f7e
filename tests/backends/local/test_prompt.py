"""Messages are written as chat templates read them."""

import pytest

from callboard.backends.errors import CapabilityError
from callboard.backends.local.prompt import offered_tools, to_chat, without_system
from callboard.backends.messages import (
    AssistantMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import ImagePart, TextPart
from callboard.backends.request import Request
from callboard.backends.tool import Tool

SEARCH = Tool(name="search", parameters={"type": "object"})


def call(arguments: str) -> ToolCall:
    """Write a call of the tool."""
    return ToolCall(id="call_0", name="search", arguments=arguments)


def test_each_role_is_written() -> None:
    """Arguments become objects, parts one text, and a tool's answer has the tool's name."""
    conversation = (
        SystemMessage("Be brief."),
        UserMessage((TextPart("Where is "), TextPart("tea?"))),
        AssistantMessage(None, (call('{"query": "tea"}'),), "hm"),
        ToolMessage("In the cupboard.", "call_0"),
        AssistantMessage("In the cupboard."),
    )
    function = {"name": "search", "arguments": {"query": "tea"}}
    assert to_chat(conversation) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is tea?"},
        {
            "role": "assistant",
            "content": "",
            "reasoning_content": "hm",
            "tool_calls": [{"id": "call_0", "type": "function", "function": function}],
        },
        {
            "role": "tool",
            "content": "In the cupboard.",
            "tool_call_id": "call_0",
            "name": "search",
        },
        {"role": "assistant", "content": "In the cupboard."},
    ]


@pytest.mark.parametrize(
    ("written", "read"), [("", {}), ("{oh", "{oh"), ("[" * 100_000, "[" * 100_000)], ids=range(3)
)
def test_arguments_that_are_no_json_stay_as_written(written: str, read: object) -> None:
    """The model's own slip goes back to it unchanged."""
    (message,) = to_chat([AssistantMessage(None, (call(written),))])
    assert message["tool_calls"][0]["function"]["arguments"] == read


def test_images_are_refused() -> None:
    """A picture that the model can't see is not dropped in silence."""
    with pytest.raises(CapabilityError, match="image"):
        to_chat([UserMessage((ImagePart.from_url("https://example.org/a.png"),))])


def test_instructions_move_to_the_first_user_message() -> None:
    """Nothing else changes place, and without a user message they become one."""
    system, user = {"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi."}
    answer = {"role": "assistant", "content": "Ho."}
    moved = {"role": "user", "content": "Be brief.\n\nHi."}
    assert without_system([system, user, answer, user]) == [moved, answer, user]
    assert without_system([system, answer]) == [{"role": "user", "content": "Be brief."}, answer]
    assert user["content"] == "Hi."


def test_the_tool_choice_is_kept_or_refused() -> None:
    """Auto shows the tools and none hides them; what can't be enforced is refused."""
    assert offered_tools(Request("hello", tools=[SEARCH])) == (SEARCH,)
    assert offered_tools(Request("hello", tools=[SEARCH], tool_choice="auto")) == (SEARCH,)
    assert offered_tools(Request("hello", tools=[SEARCH], tool_choice="none")) == ()
    for insisting in ("required", "search"):
        with pytest.raises(CapabilityError, match=insisting):
            offered_tools(Request("hello", tools=[SEARCH], tool_choice=insisting))
