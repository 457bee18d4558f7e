"""Agents on a real endpoint, through the default stack: outputs, tools, streams, actors."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import pytest
from pydantic import BaseModel

from callboard.agents.agent import Agent
from callboard.agents.conversation import Conversation
from callboard.backends.errors import AuthenticationError, BackendError, ConnectionFailedError
from callboard.backends.openai_backend import OpenAIBackend
from callboard.runtime.system import Runtime

pytestmark = pytest.mark.anyio

ANSWER = "Hello from the test server."


class Verdict(BaseModel):
    """What a critic says."""

    fair: bool
    why: str


@asynccontextmanager
async def agent_on(server: Any, model: str, **options: Any) -> AsyncIterator[Any]:
    """An agent on a model of the test server, closed at the end."""
    backend = OpenAIBackend(model, base_url=server.url, api_key="k")
    agent = Agent("critic", backend=backend, **options)
    try:
        yield agent
    finally:
        await agent.aclose()


async def test_an_output_is_an_instance_of_its_type(chat_server: Any) -> None:
    """The schema is sent, and the answer comes back parsed."""
    model = chat_server.script("structured")
    async with agent_on(chat_server, model, output=Verdict) as agent:
        answer = await agent.run("Is it fair?")
    assert isinstance(answer.output, Verdict)
    assert answer.usage.input > 0
    sent = chat_server.requests(model)[0]["body"]
    assert sent["response_format"]["type"] == "json_schema"


async def test_a_repaired_output_leaves_no_trace_in_the_conversation(chat_server: Any) -> None:
    """What was wrong at first was never said, and is still counted."""
    good = {"do": "json", "value": {"fair": True, "why": "so"}}
    model = chat_server.script({"do": "json", "value": {"fair": "perhaps"}}, good)
    conversation = Conversation()
    async with agent_on(chat_server, model, output=Verdict) as agent:
        answer = await agent.run("Is it fair?", conversation=conversation)
    assert answer.output == Verdict(fair=True, why="so")
    assert len(answer.trajectory) == 2
    assert len(conversation) == 2
    assert json.loads(str(conversation.messages[1].content))["fair"] is True


async def test_a_stream_arrives_in_pieces(chat_server: Any) -> None:
    """The deltas together are the answer."""
    model = chat_server.script("plain")
    async with agent_on(chat_server, model) as agent, agent.stream("hi") as deltas:
        pieces = [delta.text async for delta in deltas if delta.kind == "text"]
        assert len(pieces) > 1
        assert "".join(pieces) == deltas.answer.output == ANSWER
    assert chat_server.requests(model)[0]["body"]["stream"] is True


async def test_leaving_a_stream_closes_its_connection(chat_server: Any) -> None:
    """Nothing goes on generating for a reader who has left."""
    model = chat_server.script({"do": "hang_mid_stream", "pieces": 1})
    async with agent_on(chat_server, model) as agent:
        async with agent.stream("hi") as deltas:
            await anext(deltas)
        await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)


async def test_cancelling_the_asker_of_an_actor_closes_the_connection(chat_server: Any) -> None:
    """From the ask to the socket: when nobody waits any more, the call is gone."""
    model = chat_server.script("hang")
    async with agent_on(chat_server, model) as agent, Runtime() as runtime:
        ref = await agent.spawn(runtime)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ref.run, "hi")
            await anyio.to_thread.run_sync(chat_server.wait_for_requests, model)
            tasks.cancel_scope.cancel()
        await anyio.to_thread.run_sync(chat_server.wait_for_closed, model)
        assert (await ref.status()).prompts == 0


@pytest.mark.parametrize(
    ("step", "error"),
    [({"do": "status", "status": 401}, AuthenticationError), ("reset_mid_body", BackendError)],
)
async def test_errors_reach_the_asker_of_an_actor(chat_server: Any, step: Any, error: Any) -> None:
    """As themselves, through retries, stack and mailbox; the actor lives on."""
    model = chat_server.script(step, step, step, step, "plain")
    async with agent_on(chat_server, model) as agent, Runtime() as runtime:
        ref = await agent.spawn(runtime)
        with pytest.raises(error):
            await ref.run("hi")
        assert runtime.statistics().restarts == 0


async def test_nobody_there_is_a_connection_failure() -> None:
    """The error names the address."""
    agent = Agent("a", backend=OpenAIBackend("m", base_url="http://127.0.0.1:9/v1", api_key="k"))
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1:9"):
        await agent.run("hi", timeout=20.0)
    await agent.aclose()
