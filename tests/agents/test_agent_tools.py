"""Agents with tools, on a real endpoint: the turns of a tool are part of the conversation."""

from typing import Any

import pytest

from callboard.agents.agent import Agent
from callboard.agents.conversation import Conversation
from callboard.agents.errors import OutputMissingError
from callboard.backends.messages import AssistantMessage, ToolCall, ToolMessage
from callboard.backends.openai_backend import OpenAIBackend
from callboard.backends.scripted_backend import ScriptedBackend
from callboard.backends.tool import Tool

pytestmark = pytest.mark.anyio

ANSWER = "Hello from the test server."


async def test_tools_are_called_and_remembered(chat_server: Any) -> None:
    """The tool's turn stands in the conversation, between the question and the answer."""
    model = chat_server.script("tools", "plain", "plain")
    calls: list[tuple[int, int]] = []

    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        calls.append((a, b))
        return a + b

    conversation = Conversation()
    backend = OpenAIBackend(model, base_url=chat_server.url, api_key="k")
    agent = Agent("adder", backend=backend, tools=[add])
    try:
        answer = await agent.run("What is the sum?", conversation=conversation)
        assert answer.output == ANSWER
        assert len(calls) == 1
        _, call, result, said = conversation
        assert isinstance(call, AssistantMessage)
        assert call.tool_calls[0].name == "add"
        assert result == ToolMessage(str(sum(calls[0])), call.tool_calls[0].id)
        assert said == AssistantMessage(ANSWER)
        await agent.run("Really?", conversation=conversation)
    finally:
        await agent.aclose()
    roles = [m["role"] for m in chat_server.requests(model)[-1]["body"]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]


async def test_an_external_tool_comes_back_instead_of_an_output() -> None:
    """Its calls are in the completion; asking for the output says what to do first."""
    look = Tool(name="look", parameters={"type": "object", "properties": {}})
    call = AssistantMessage(None, (ToolCall(id="t1", name="look", arguments="{}"),))
    conversation = Conversation()
    agent = Agent("eye", backend=ScriptedBackend([call, "7"]), tools=[look], output=int)
    answer = await agent.run("How many?", conversation=conversation)
    assert answer.completion.message.tool_calls[0].name == "look"
    with pytest.raises(OutputMissingError, match="look called first"):
        _ = answer.output
    answer = await agent.run(ToolMessage("seven", "t1"), conversation=conversation)
    assert answer.output == 7
