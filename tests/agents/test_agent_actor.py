"""AgentActor: an agent that holds many conversations at a time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from callboard.agents.agent import Agent
from callboard.agents.agent_ref import AgentRef
from callboard.agents.control import Interrupt
from callboard.agents.errors import (
    AgentBusyError,
    AgentInterruptedError,
    ConversationBusyError,
    ConversationLimitError,
    ConversationUnknownError,
    ToolResultsMissingError,
)
from callboard.agents.prompt import Prompt
from callboard.ambient.deadline import time_left
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.messages import AssistantMessage, ToolCall
from callboard.backends.request import Request
from callboard.backends.stack import stack
from callboard.runtime.errors import (
    ActorRestartedError,
    ActorStoppedError,
    AskTimeoutError,
    HandlerError,
)
from callboard.runtime.system import Runtime

pytestmark = pytest.mark.anyio


class Gate:
    """A backend whose calls wait until they are let through, and which knows what is going on."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cancelled: list[str] = []
        self.callers: list[str] = []
        self.left: list[float] = []
        self._open: dict[str, anyio.Event] = {}
        self.failures: dict[str, Exception] = {}
        self.backend = FunctionBackend(self._answer)

    def let(self, *words: str) -> None:
        """Let the calls about these words through, now or when they come."""
        for word in words:
            self._event(word).set()

    def _event(self, word: str) -> anyio.Event:
        return self._open.setdefault(word, anyio.Event())

    async def _answer(self, request: Request[Any]) -> str:
        word = str(request.messages[-1].content)
        self.asked.append(word)
        self.callers.append(request.metadata["caller"])
        self.left.append(time_left())
        try:
            await self._event(word).wait()
        except anyio.get_cancelled_exc_class():
            self.cancelled.append(word)
            raise
        if word in self.failures:
            raise self.failures[word]
        return f"{word} after {len(request.messages) - 1}"


@pytest.fixture
def gate() -> Gate:
    """A backend under control."""
    return Gate()


@asynccontextmanager
async def living(gate: Gate, **options: Any) -> AsyncIterator[tuple[AgentRef[str], Any]]:
    """Run an agent as an actor, and a task group for those who talk with it."""
    async with Runtime() as runtime:
        agent = Agent("critic", backend=stack(gate.backend))
        ref = await agent.spawn(runtime, **options)
        async with anyio.create_task_group() as tasks:
            yield ref, tasks
            tasks.cancel_scope.cancel()


class Asked(dict[str, Any]):
    """What came of several prompts, by their words."""

    def __init__(self, ref: AgentRef[str], tasks: Any) -> None:
        self._ref, self._tasks = ref, tasks

    def ask(self, word: str, **options: Any) -> None:
        """Send a prompt from a task of its own; answers and errors are kept."""
        self._tasks.start_soon(self._ask, word, options)

    async def _ask(self, word: str, options: dict[str, Any]) -> None:
        try:
            self[word] = (await self._ref.run(word, **options)).output
        except Exception as error:
            self[word] = error


async def test_an_answer_is_typed_and_carries_the_conversation(gate: Gate) -> None:
    """`run` and the Prompt behind it give the same."""
    gate.let("hi", "again")
    async with living(gate, name="critic-1") as (ref, _):
        answer = await ref.run("hi", conversation="c1")
        assert (answer.output, answer.conversation) == ("hi after 0", "c1")
        again = await ref.ask(Prompt("again", conversation="c1"))
        assert again.output == "again after 2"
        assert gate.callers == ["critic-1", "critic-1"]
        assert ref.address.path == "critic-1"


async def test_a_nameless_actor_is_called_after_its_agent(gate: Gate) -> None:
    """Two actors of one agent have names, and thereby callers, of their own."""
    async with Runtime() as runtime:
        agent = Agent("critic", backend=stack(gate.backend))
        one, two = await agent.spawn(runtime), await agent.spawn(runtime)
        assert one.address.name.startswith("critic-")
        assert one != two


async def test_prompts_of_one_conversation_wait_in_line(gate: Gate) -> None:
    """One generation at a time, in the order of arrival, each with the history of those before."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        for word in ("one", "two", "three"):
            asked.ask(word, conversation="c1")
            await anyio.wait_all_tasks_blocked()
        assert gate.asked == ["one"]
        gate.let("three", "two", "one")
        await anyio.wait_all_tasks_blocked()
        assert gate.asked == ["one", "two", "three"]
        assert asked == {"one": "one after 0", "two": "two after 2", "three": "three after 4"}


async def test_other_conversations_and_lone_prompts_do_not_wait(gate: Gate) -> None:
    """A slow call holds up its own conversation and nothing else."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("slow", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        gate.let("quick", "lone", "lone too")
        asked.ask("quick", conversation="c2")
        asked.ask("lone")
        asked.ask("lone too")
        await anyio.wait_all_tasks_blocked()
        assert set(asked) == {"quick", "lone", "lone too"}
        status = await ref.status()
        assert (status.prompts, dict(status.busy), status.conversations) == (1, {"c1": 1}, 2)


async def test_a_lone_prompt_remembers_nothing(gate: Gate) -> None:
    """Without a conversation, each prompt stands alone."""
    gate.let("one", "two")
    async with living(gate) as (ref, _):
        await ref.run("one")
        assert (await ref.run("two")).output == "two after 0"
        assert (await ref.status()).conversations == 0


async def test_cancelling_the_asker_cancels_the_model_call(gate: Gate) -> None:
    """Nobody pays for an answer that nobody waits for, and the conversation is as before."""
    gate.let("before", "after")
    async with living(gate) as (ref, _):
        await ref.run("before", conversation="c1")
        async with anyio.create_task_group() as asking:
            Asked(ref, asking).ask("hanging", conversation="c1")
            await anyio.wait_all_tasks_blocked()
            asking.cancel_scope.cancel()
        await anyio.wait_all_tasks_blocked()
        assert gate.cancelled == ["hanging"]
        assert (await ref.run("after", conversation="c1")).output == "after after 2"


async def test_a_cancelled_prompt_in_line_lets_the_others_through(gate: Gate) -> None:
    """Whoever gives up waiting leaves the line."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("one", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as asking:
            Asked(ref, asking).ask("two", conversation="c1")
            await anyio.wait_all_tasks_blocked()
            asking.cancel_scope.cancel()
        asked.ask("three", conversation="c1")
        gate.let("one", "two", "three")
        await anyio.wait_all_tasks_blocked()
        assert gate.asked == ["one", "three"]
        assert asked == {"one": "one after 0", "three": "three after 2"}


async def test_a_timeout_ends_the_model_call(gate: Gate) -> None:
    """The asker's timeout is the model call's deadline, too."""
    async with living(gate) as (ref, _):
        with pytest.raises(AskTimeoutError):
            await ref.run("hanging", timeout=0.3)
        await anyio.wait_all_tasks_blocked()
        assert gate.cancelled == ["hanging"]
        assert gate.left[0] < 0.4
        assert (await ref.status()).prompts == 0


async def test_a_backends_error_is_an_answer_and_no_crash(gate: Gate) -> None:
    """It reaches the asker as it is; the conversation and its neighbours go on."""
    gate.failures["bad"] = OverloadedError("busy", status=503)
    gate.let("bad", "good", "better")
    async with living(gate) as (ref, _):
        await ref.run("good", conversation="c1")
        with pytest.raises(OverloadedError) as caught:
            await ref.run("bad", conversation="c1")
        assert caught.value.status == 503
        assert (await ref.run("better", conversation="c1")).output == "better after 2"


async def test_a_told_prompt_that_fails_disturbs_nobody(
    gate: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where nobody asked, the error is logged; the generations beside it go on."""
    gate.failures["bad"] = OverloadedError("too much")
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("good", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        gate.let("good", "bad")
        await ref.tell(Prompt("bad"))
        await anyio.wait_all_tasks_blocked()
        assert asked == {"good": "good after 0"}
    captured = capsys.readouterr()
    assert "too much" in captured.out + captured.err


async def test_an_interrupt_ends_a_conversations_prompts(gate: Gate) -> None:
    """Those under way and those waiting; other conversations and later prompts go on."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        gate.let("before")
        asked.ask("before", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        for word, conversation in (("one", "c1"), ("two", "c1"), ("other", "c2"), ("lone", None)):
            asked.ask(word, conversation=conversation)
            await anyio.wait_all_tasks_blocked()
        assert await ref.interrupt("c1") == 2
        await anyio.wait_all_tasks_blocked()
        assert gate.cancelled == ["one"]
        assert isinstance(asked["one"], AgentInterruptedError)
        assert isinstance(asked["two"], AgentInterruptedError)
        gate.let("other", "lone", "later")
        assert (await ref.run("later", conversation="c1")).output == "later after 2"
        await anyio.wait_all_tasks_blocked()
        assert asked["other"] == "other after 0"
        assert asked["lone"] == "lone after 0"


async def test_an_interrupt_without_conversation_ends_everything(gate: Gate) -> None:
    """Everything that is under way, lone prompts included."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("one", conversation="c1")
        asked.ask("lone")
        await anyio.wait_all_tasks_blocked()
        assert await ref.interrupt() == 2
        await anyio.wait_all_tasks_blocked()
        assert {type(outcome) for outcome in asked.values()} == {AgentInterruptedError}


async def test_an_interrupt_finds_what_was_sent_just_before(gate: Gate) -> None:
    """A prompt and an interrupt sent in one breath arrive in that order."""
    async with living(gate) as (ref, _):
        ref.tell_nowait(Prompt("one", conversation="c1"))
        ref.tell_nowait(Prompt("two"))
        assert await ref.ask(Interrupt()) == 2


async def test_control_gets_in_where_prompts_do_not(gate: Gate) -> None:
    """A full agent refuses prompts, with advice, and still answers everything else."""
    async with living(gate, max_prompts=2) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("one")
        asked.ask("two", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(AgentBusyError, match="2 prompts under way"):
            await ref.run("three")
        assert (await ref.status()).prompts == 2
        assert await ref.interrupt() == 2
        gate.let("four")
        assert (await ref.run("four")).output == "four after 0"


async def test_conversations_are_limited_and_can_be_forgotten(gate: Gate) -> None:
    """Nothing is dropped silently: one too many is refused, until another is forgotten."""
    gate.let("one", "two", "three")
    async with living(gate, max_conversations=1) as (ref, _):
        await ref.run("one", conversation="c1")
        with pytest.raises(ConversationLimitError, match="already holds 1"):
            await ref.run("two", conversation="c2")
        assert await ref.forget("c1")
        assert not await ref.forget("c1")
        assert (await ref.run("three", conversation="c2")).output == "three after 0"


async def test_a_conversation_that_never_began_takes_no_place(gate: Gate) -> None:
    """Failed first turns leave nothing behind."""
    gate.failures["bad"] = OverloadedError("busy")
    gate.let("bad")
    async with living(gate) as (ref, _):
        with pytest.raises(OverloadedError):
            await ref.run("bad", conversation="c1")
        assert (await ref.status()).conversations == 0


async def test_a_busy_conversation_is_not_forgotten(gate: Gate) -> None:
    """Forgetting waits for nobody, and takes nothing away from a turn."""
    async with living(gate) as (ref, tasks):
        Asked(ref, tasks).ask("one", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ConversationBusyError):
            await ref.forget("c1")


async def test_a_conversation_can_be_read(gate: Gate) -> None:
    """A copy, as of the last whole turn, also while the next is under way."""
    async with living(gate) as (ref, tasks):
        gate.let("one")
        await ref.run("one", conversation="c1")
        Asked(ref, tasks).ask("two", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        copy = await ref.conversation("c1")
        assert copy.id == "c1"
        assert [m.content for m in copy] == ["one", "one after 0"]
        copy.extend("mine")
        assert len(await ref.conversation("c1")) == 2
        with pytest.raises(ConversationUnknownError, match="'c2'"):
            await ref.conversation("c2")


async def test_stopping_the_actor_cancels_its_calls(gate: Gate) -> None:
    """Everyone who waits is told, and no call is left running."""
    async with living(gate) as (ref, tasks):
        asked = Asked(ref, tasks)
        asked.ask("one", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        asked.ask("two", conversation="c1")
        await anyio.wait_all_tasks_blocked()
        await ref.stop(timeout=0)
        await anyio.wait_all_tasks_blocked()
        assert {type(outcome) for outcome in asked.values()} == {ActorStoppedError}
        assert gate.cancelled == ["one"]


async def test_a_crash_keeps_the_conversations(gate: Gate) -> None:
    """A bug in a backend restarts the actor; what was said before is still known."""
    gate.failures["bug"] = KeyError("oops")
    async with living(gate) as (ref, tasks):
        gate.let("one", "bug", "two")
        await ref.run("one", conversation="c1")
        asked = Asked(ref, tasks)
        asked.ask("hanging", conversation="c2")
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(HandlerError) as caught:
            await ref.run("bug", conversation="c1")
        assert isinstance(caught.value.cause, KeyError)
        await anyio.wait_all_tasks_blocked()
        assert isinstance(asked["hanging"], ActorRestartedError)
        assert (await ref.run("two", conversation="c1")).output == "two after 2"


async def test_a_prompt_that_forgets_a_tools_result_is_refused(gate: Gate) -> None:
    """An error of the asker's is no crash of the agent."""
    call = AssistantMessage(None, (ToolCall(id="t1", name="f", arguments="{}"),))
    async with Runtime() as runtime:
        agent = Agent("a", backend=stack(FunctionBackend(lambda _: call)))
        ref = await agent.spawn(runtime)
        await ref.run("go", conversation="c1")
        with pytest.raises(ToolResultsMissingError):
            await ref.run("and?", conversation="c1")
        assert runtime.statistics().restarts == 0


async def test_a_prompt_is_read_where_it_is_made() -> None:
    """A prompt that can't be read never reaches an actor."""
    with pytest.raises(ValueError, match="role"):
        Prompt({"role": "ghost"})
    with pytest.raises(ValueError, match="prompt is empty"):
        Prompt([])


async def test_a_windowed_agent_shows_the_last_exchanges(gate: Gate) -> None:
    """The window of the spawn holds for every conversation."""
    gate.let("one", "two", "three")
    async with living(gate, window=1) as (ref, _):
        for word in ("one", "two"):
            await ref.run(word, conversation="c1")
        assert (await ref.run("three", conversation="c1")).output == "three after 2"
        assert len(await ref.conversation("c1")) == 6


async def test_a_reference_found_by_address_runs_prompts(gate: Gate) -> None:
    """Whoever knows the address can talk with the agent."""
    gate.let("hi")
    async with Runtime() as runtime:
        await Agent("critic", backend=stack(gate.backend)).spawn(runtime, name="critic")
        found = runtime.find("critic")
        assert found is not None
        assert (await AgentRef.of(found).run("hi")).output == "hi after 0"
