"""run_sync: an answer for code that is not async, wherever it runs."""

import asyncio
import contextvars
import signal
import subprocess
import sys
import threading
from typing import Any

import anyio
import anyio.from_thread
import anyio.to_thread
import pytest

from callboard.agents.agent import Agent
from callboard.agents.conversation import Conversation
from callboard.ambient.deadline import deadline_scope, time_left
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.messages import AssistantMessage, ToolCall
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.tools import Tools
from callboard.backends.openai_backend import OpenAIBackend
from callboard.backends.request import Request
from callboard.backends.scripted_backend import ScriptedBackend
from callboard.backends.stack import stack
from callboard.backends.tool import tool

word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="nothing")


def test_in_a_script() -> None:
    """Without any loop around, it just answers, conversation and output included."""
    conversation = Conversation()
    agent = Agent("a", backend=ScriptedBackend(["7", "8"]), output=int)
    assert agent.run_sync("a number", conversation=conversation).output == 7
    assert agent.run_sync("another", conversation=conversation).output == 8
    assert len(conversation) == 4


def test_failures_come_out_as_they_are() -> None:
    """No wrapping in groups or futures."""
    agent = Agent("a", backend=stack(ScriptedBackend([OverloadedError("busy")])))
    with pytest.raises(OverloadedError, match="busy"):
        agent.run_sync("hi")


@pytest.mark.anyio
async def test_where_a_loop_is_running() -> None:
    """A notebook's cell runs inside a loop; that loop stands still and is none the worse."""
    agent = Agent("a", backend=ScriptedBackend(["sync", "async"]))
    assert agent.run_sync("hi").output == "sync"
    assert (await agent.run("hi")).output == "async"


@pytest.mark.anyio
async def test_context_variables_cross() -> None:
    """What the caller's context holds, traces and logs among it, is seen by the call."""
    agent = Agent("a", backend=stack(FunctionBackend(lambda _: word.get())))
    word.set("set")
    assert agent.run_sync("hi").output == "set"


@pytest.mark.anyio
async def test_the_time_left_crosses() -> None:
    """Clocks differ between loops, the seconds that are left do not."""
    seen: list[float] = []

    def look(_: Request[Any]) -> str:
        seen.append(time_left())
        return "looked"

    agent = Agent("a", backend=stack(FunctionBackend(look)))
    with deadline_scope(anyio.current_time() + 1000):
        agent.run_sync("here")
        await anyio.to_thread.run_sync(agent.run_sync, "in a worker")
    agent.run_sync("without")
    assert all(900 < left <= 1001 for left in seen[:2])
    assert seen[2] == float("inf")


@pytest.mark.anyio
@pytest.mark.parametrize("own", [None, 50.0])
async def test_the_time_left_crosses_the_thread_of_a_tool(own: float | None) -> None:
    """A tool that is not async, and asks another agent, passes on what it may take itself."""
    seen: list[float] = []

    def look(_: Request[Any]) -> str:
        seen.append(time_left())
        return "looked"

    helper = Agent("helper", backend=stack(FunctionBackend(look)))

    def consult() -> str:
        """Ask the other one."""
        return helper.run_sync("well?").output

    script = [
        AssistantMessage(tool_calls=(ToolCall(id="c", name="consult", arguments=""),)),
        "done",
    ]
    agent = Agent(
        "a",
        backend=stack(ScriptedBackend(script), Deadline(100.0), Tools(timeout=None)),
        tools=[tool(timeout=own)(consult)],
    )
    assert (await agent.run("go")).output == "done"
    (left,) = seen
    assert 0 < left <= (own or 100.0)


def test_the_time_left_crosses_asyncios_own_threads() -> None:
    """A thread that anyio did not start inherits the deadline, too."""
    agent = Agent("a", backend=stack(FunctionBackend(lambda _: str(time_left()))))

    async def main() -> str:
        with deadline_scope(anyio.current_time() + 1000):
            return (await asyncio.to_thread(agent.run_sync, "hi")).output

    assert 900 < float(asyncio.run(main())) <= 1001


def test_threads_share_an_agent() -> None:
    """Several threads at once, each with a loop of its own, over one stack and its limits."""
    agent = Agent("a", backend=FunctionBackend(lambda r: str(r.messages[-1].content)))
    heard: dict[str, str] = {}

    def ask(said: str) -> None:
        heard[said] = agent.run_sync(said).output

    threads = [threading.Thread(target=ask, args=(str(n),)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == {str(n): str(n) for n in range(8)}


@pytest.mark.anyio
async def test_connections_end_with_the_call(chat_server: Any) -> None:
    """Each call's loop closes the connections that it opened; nothing leaks."""

    def ask() -> int:
        backend = OpenAIBackend("plain", base_url=chat_server.url, api_key="k")
        agent = Agent("a", backend=backend)
        before = chat_server.connections()["open"]
        for _ in range(3):
            assert agent.run_sync("hi").output == "Hello from the test server."
        chat_server.wait_for_closed("plain", 3)
        return chat_server.connections()["open"] - before

    assert ask() == 0


def test_ctrl_c_cancels_the_call() -> None:
    """An interrupt of the waiting thread reaches the call, which cleans up before it is raised."""
    code = """
import anyio
from callboard.agents import Agent
from callboard.backends import FunctionBackend

async def hang(request):
    print("asked", flush=True)
    try:
        await anyio.sleep_forever()
    finally:
        print("cleaned up", flush=True)

try:
    Agent("a", backend=FunctionBackend(hang)).run_sync("hi")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "asked\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=40)[0] == "cleaned up\ninterrupted\n"
    assert process.returncode == 0
