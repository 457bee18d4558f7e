"""Conversation: a history that grows by whole turns."""

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.agents.agent import Agent
from callboard.agents.conversation import Conversation
from callboard.agents.errors import ConversationBusyError, ToolResultsMissingError
from callboard.agents.message_dicts import to_dict
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.message_reading import to_message
from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.parts import ImagePart, TextPart
from callboard.backends.request import Request
from callboard.backends.scripted_backend import ScriptedBackend
from callboard.backends.stack import stack

text = st.text(max_size=20)
names = st.none() | st.text(min_size=1, max_size=5)
calls = st.builds(ToolCall, id=st.text(min_size=1), name=text, arguments=text)
parts = st.builds(TextPart, text) | st.builds(
    ImagePart, url=st.just("https://x/y.png"), detail=st.sampled_from([None, "low", "high"])
)
messages: st.SearchStrategy[ChatMessage] = st.one_of(
    st.builds(SystemMessage, text, names),
    st.builds(UserMessage, text | st.lists(parts, min_size=1).map(tuple), names),
    st.builds(ToolMessage, text, st.text(min_size=1)),
    st.builds(
        AssistantMessage,
        st.none() | text,
        st.lists(calls, max_size=3).map(tuple),
        st.none() | st.text(min_size=1),
        st.none() | text,
        names,
    ),
)


@given(messages)
def test_a_message_survives_being_written(message: ChatMessage) -> None:
    """Written as plain data and as JSON, and read again, a message is the same."""
    assert to_message(to_dict(message)) == message
    assert to_message(json.loads(json.dumps(to_dict(message)))) == message


@given(st.lists(messages), st.none() | st.integers(1, 9))
def test_a_conversation_survives_being_written(said: list[ChatMessage], window: int | None) -> None:
    """Id, window and every message come back, from plain data and from a pickle."""
    before = Conversation(said, id="c1", window=window)
    for after in (Conversation.from_dict(before.to_dict()), pickle.loads(pickle.dumps(before))):
        assert (after.messages, after.id, after.window) == (tuple(said), "c1", window)


def test_save_and_load(tmp_path: Path) -> None:
    """A saved file is readable by people, replaces the old one whole, and leaves no draft."""
    path = tmp_path / "talk.json"
    path.write_text("old")
    Conversation(["grüezi", AssistantMessage("hi")], id="c1", window=2).save(path)
    assert "grüezi" in path.read_text("utf-8")
    assert [p.name for p in tmp_path.iterdir()] == ["talk.json"]
    loaded = Conversation.load(str(path))
    assert (loaded.id, loaded.window) == ("c1", 2)
    assert loaded.messages == (UserMessage("grüezi"), AssistantMessage("hi"))


def test_a_save_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    """What can't be written leaves no trace."""
    with pytest.raises(OSError, match="nowhere"):
        Conversation(["hi"]).save(tmp_path / "nowhere" / "talk.json")


def test_a_list_of_openai_messages_loads(tmp_path: Path) -> None:
    """The file may hold what other tools write: a bare list of messages."""
    path = tmp_path / "talk.json"
    path.write_text('[{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]')
    assert Conversation.load(path).messages == (SystemMessage("s"), UserMessage("u"))


@pytest.mark.parametrize(
    "content", ["", "{", "3", '"text"', "{}", '{"format": "other"}', '[{"role": "ghost"}]', "[1]"]
)
def test_what_is_no_conversation_is_refused(tmp_path: Path, content: str) -> None:
    """A file that holds something else is an error that names the file."""
    path = tmp_path / "talk.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"talk\.json holds no conversation"):
        Conversation.load(path)


def test_a_fork_goes_its_own_way() -> None:
    """A fork has the history, another id, and no part in what follows."""
    one = Conversation(["hi"], window=3)
    other = one.fork()
    one.extend("more")
    assert other.messages == (UserMessage("hi"),)
    assert (other.window, copy.copy(one).messages) == (3, one.messages)
    assert other.id != one.id
    assert one.fork("named").id == "named"


def test_lengths_and_truth() -> None:
    """It counts its messages, and is true even when it has none."""
    conversation = Conversation()
    assert len(conversation) == 0
    assert conversation
    conversation.extend(["one", {"role": "assistant", "content": "two"}])
    assert [m.content for m in conversation] == ["one", "two"]
    assert len(conversation.exchanges) == 1
    conversation.clear()
    assert len(conversation) == 0
    assert repr(Conversation(["a"], id="c1")) == "<Conversation c1 of 1 messages>"


def test_a_window_is_at_least_one() -> None:
    """A window of nothing is a mistake."""
    with pytest.raises(ValueError, match="at least 1"):
        Conversation(window=0)


def test_a_busy_conversation_is_not_cleared() -> None:
    """Nobody takes the history away from under a turn, and a turn's failure frees it."""
    conversation = Conversation(["hi"])
    with conversation.turn(), pytest.raises(ConversationBusyError):
        conversation.clear()
    assert not conversation.busy


@pytest.mark.anyio
async def test_the_model_sees_the_window_and_the_history_keeps_everything() -> None:
    """A window shortens what is sent, never what is remembered."""
    backend = ScriptedBackend(["1", "2", "3"])
    agent = Agent("a", backend=stack(backend), instructions="s")
    conversation = Conversation(window=1)
    for word in ("one", "two", "three"):
        await agent.run(word, conversation=conversation)
    assert [m.content for m in backend.requests[2].messages] == ["s", "two", "2", "three"]
    assert len(conversation) == 6


@pytest.mark.anyio
async def test_an_external_tool_call_waits_for_its_result() -> None:
    """A prompt that forgets the result is refused before anything is sent; with it, all goes on."""
    call = AssistantMessage(None, (ToolCall(id="t1", name="f", arguments="{}"),))
    backend = ScriptedBackend([call, "done"])
    agent = Agent("a", backend=stack(backend))
    conversation = Conversation(id="c1")
    await agent.run("go", conversation=conversation)
    with pytest.raises(ToolResultsMissingError, match=r"'c1' waits.*t1"):
        await agent.run("and now?", conversation=conversation)
    assert len(backend.requests) == 1
    await agent.run(ToolMessage("r", "t1"), conversation=conversation)
    assert len(conversation.exchanges) == 1
    assert len(conversation) == 4


fates = st.lists(
    st.sampled_from(["answered", "failed", "cancelled", "left", "streamed"]), max_size=8
)


@given(fates)
def test_a_history_is_a_sequence_of_whole_turns(drawn: list[str]) -> None:
    """Whatever fails or is cancelled in between, only whole turns are ever remembered."""
    for loop in ("asyncio", "trio"):
        conversation = anyio.run(_lived_through, drawn, backend=loop)
        good = [at for at, fate in enumerate(drawn) if fate in ("answered", "streamed")]
        assert [m.content for m in conversation] == [
            word for at in good for word in (f"ask {at}", f"reply to ask {at}")
        ]
        assert not conversation.busy


async def _lived_through(drawn: list[str]) -> Conversation:
    conversation = Conversation()
    fate = ""

    async def answer(request: Request[Any]) -> str:
        await anyio.lowlevel.checkpoint()
        if fate == "failed":
            raise OverloadedError("no")
        if fate == "cancelled":
            scope.cancel()
            await anyio.lowlevel.checkpoint()
        return f"reply to {request.messages[-1].content}"

    agent = Agent("a", backend=stack(FunctionBackend(answer)))
    for at, fate in enumerate(drawn):
        with anyio.CancelScope() as scope:
            try:
                await _turn(agent, conversation, f"ask {at}", fate)
            except OverloadedError:
                assert fate == "failed"
        assert not conversation.busy
    return conversation


async def _turn(agent: Agent[str], conversation: Conversation, said: str, fate: str) -> None:
    if fate not in ("left", "streamed"):
        await agent.run(said, conversation=conversation)
        return
    async with agent.stream(said, conversation=conversation) as deltas:
        async for _ in deltas:
            if fate == "left":
                break
