"""Agent: one description, many runs."""

import pickle
import threading
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from callboard.agents.agent import Agent
from callboard.agents.conversation import Conversation
from callboard.agents.errors import ConversationBusyError, OutputMissingError
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion, Step
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import OverloadedError
from callboard.backends.messages import (
    AssistantMessage,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.stack import Stack, stack
from callboard.backends.usage import Usage

pytestmark = pytest.mark.anyio


@dataclass
class Parrot:
    """A backend that repeats the last words, piece by piece, and remembers what it was asked."""

    requests: list[Request[Any]] = field(default_factory=list)
    failure: Exception | None = None
    hangs: bool = False
    parsed: Any = None
    capabilities: Capabilities = field(default_factory=Capabilities)
    closed: int = 0

    async def generate(self, request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        self.requests.append(request)
        if self.hangs:
            await anyio.sleep_forever()
        if self.failure is not None:
            raise self.failure
        await anyio.lowlevel.checkpoint()
        text = f"{request.messages[-1].content}!"
        for letter in text if sink else ():
            await sink(Delta(kind="text", text=letter))
        return Completion(
            message=AssistantMessage(text),
            usage=Usage(input=3, output=2),
            parsed=self.parsed,
            model="parrot",
        )

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_run_answers_in_text_and_counts() -> None:
    """Without an output type the output is the text."""
    answer = await Agent("polly", backend=stack(Parrot())).run("hello")
    assert answer.output == answer.text == "hello!"
    assert answer.usage.total == 5
    assert [step.model for step in answer.trajectory] == ["parrot"]
    assert answer.messages == (UserMessage("hello"), AssistantMessage("hello!"))
    assert repr(answer) == "<Answer of polly 'hello!', 5 tokens>"


async def test_the_output_is_what_the_stack_parsed() -> None:
    """The output type is asked for, and the output is the completion's parsed value."""
    parrot = Parrot(parsed=7)
    answer = await Agent("polly", backend=stack(parrot), output=int).run("a number")
    assert answer.output == 7
    assert parrot.requests[0].output is int


async def test_an_output_type_may_be_none() -> None:
    """None is an output where the type allows it."""
    answer = await Agent("polly", backend=stack(Parrot()), output=int | None).run("maybe")
    assert answer.output is None


async def test_an_unparsed_output_is_an_error_that_says_why() -> None:
    """A stack without StructuredOutput can't give an output, and nobody gets None instead."""
    answer = await Agent("polly", backend=stack(Parrot()), output=int).run("a number")
    with pytest.raises(OutputMissingError, match=r"polly.*StructuredOutput"):
        _ = answer.output
    assert answer.text == "a number!"


async def test_the_request_carries_the_description() -> None:
    """Instructions, tools, sampling, timeout and notes all reach the backend."""

    def look(where: str) -> str:
        """Look somewhere."""
        return where

    parrot = Parrot()
    agent = Agent(
        "polly",
        backend=stack(parrot),
        instructions="Repeat.",
        tools=[look],
        sampling=SamplingParams(temperature=0.5, seed=1),
        timeout=9.0,
        metadata={"experiment": "x"},
    )
    await agent.run("hello")
    request = parrot.requests[0]
    assert request.messages == (SystemMessage("Repeat."), UserMessage("hello"))
    assert [tool.name for tool in request.tools] == ["look"]
    assert request.sampling == SamplingParams(temperature=0.5, seed=1)
    assert request.timeout == 9.0
    assert dict(request.metadata) == {"caller": "polly", "experiment": "x"}


async def test_a_run_may_change_what_the_agent_says() -> None:
    """What a run is given goes over the agent's own; an empty tool list means no tools."""
    parrot = Parrot(parsed=True)

    def look(where: str) -> str:
        """Look somewhere."""
        return where

    agent = Agent(
        "polly", backend=stack(parrot), tools=[look], sampling=SamplingParams(seed=1), timeout=9.0
    )
    answer = await agent.run(
        "hello",
        output=bool,
        tools=[],
        sampling=SamplingParams(top_p=0.1),
        metadata={"caller": "polly-2"},
        timeout=1.0,
    )
    request = parrot.requests[0]
    assert answer.output is True
    assert request.tools == ()
    assert request.sampling == SamplingParams(seed=1, top_p=0.1)
    assert request.metadata["caller"] == "polly-2"
    assert request.timeout == 1.0


async def test_a_run_without_conversation_remembers_nothing() -> None:
    """Two runs know nothing of each other."""
    parrot = Parrot()
    agent = Agent("polly", backend=stack(parrot))
    await agent.run("one")
    await agent.run([{"role": "user", "content": "two"}, UserMessage("three")])
    assert parrot.requests[1].messages == (UserMessage("two"), UserMessage("three"))


async def test_a_conversation_goes_on() -> None:
    """With a conversation, each run sees what was said before; the instructions stay outside."""
    parrot = Parrot()
    agent = Agent("polly", backend=stack(parrot), instructions="Repeat.")
    conversation = Conversation(id="c1")
    await agent.run("one", conversation=conversation)
    answer = await agent.run("two", conversation=conversation)
    assert [m.content for m in parrot.requests[1].messages] == ["Repeat.", "one", "one!", "two"]
    assert [m.content for m in conversation] == ["one", "one!", "two", "two!"]
    assert answer.conversation == "c1"
    assert parrot.requests[1].metadata["conversation"] == "c1"


async def test_a_failed_run_leaves_the_conversation_as_it_was() -> None:
    """A backend's error comes out as itself, and the history does not know of the turn."""
    conversation = Conversation(["hello", AssistantMessage("hi")])
    before = conversation.messages
    agent = Agent("polly", backend=stack(Parrot(failure=OverloadedError("busy"))))
    with pytest.raises(OverloadedError):
        await agent.run("again", conversation=conversation)
    assert conversation.messages == before
    assert not conversation.busy


async def test_a_cancelled_run_leaves_the_conversation_as_it_was() -> None:
    """Cancelling a run frees the conversation, which does not know of the turn."""
    conversation = Conversation(["hello", AssistantMessage("hi")])
    agent = Agent("polly", backend=stack(Parrot(hangs=True)))
    async with anyio.create_task_group() as tasks:

        async def turn() -> None:
            await agent.run("again", conversation=conversation)

        tasks.start_soon(turn)
        await anyio.wait_all_tasks_blocked()
        assert conversation.busy
        tasks.cancel_scope.cancel()
    assert len(conversation) == 2
    assert not conversation.busy


async def test_a_conversation_takes_one_turn_at_a_time() -> None:
    """A second turn at the same time is refused with advice, and the first goes on."""
    conversation = Conversation(id="c1")
    agent = Agent("polly", backend=stack(Parrot(hangs=True)))
    async with anyio.create_task_group() as tasks:

        async def turn() -> None:
            await agent.run("one", conversation=conversation)

        tasks.start_soon(turn)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(ConversationBusyError, match="'c1' has a turn under way"):
            await agent.run("two", conversation=conversation)
        assert conversation.busy
        tasks.cancel_scope.cancel()


class Tooled(Parrot):
    """A backend that reports a tool turn and a repair behind its answer, as a stack does."""

    async def generate(self, request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        call = AssistantMessage(None, (ToolCall(id="t1", name="look", arguments="{}"),))
        schema = SystemMessage("Answer in JSON.")
        sent = (*request.messages, schema)
        after_tool = (*request.messages, call, ToolMessage("a wall", "t1"), schema)
        bad, good = AssistantMessage("garbage"), AssistantMessage('{"seen": "a wall"}')
        repair = (*after_tool, bad, UserMessage("That is no JSON."))
        usage = Usage(output=1)
        return Completion(
            message=good,
            steps=(
                Step(
                    messages=sent, message=call, finish_reason="tool_calls", usage=usage, model=""
                ),
                Step(messages=after_tool, message=bad, finish_reason="stop", usage=usage, model=""),
                Step(messages=repair, message=good, finish_reason="stop", usage=usage, model=""),
            ),
        )


async def test_a_conversation_keeps_tool_turns_and_forgets_repairs() -> None:
    """What middleware wrote into the prompt, and answers that were repaired, were never said."""
    conversation = Conversation()
    answer = await Agent("eye", backend=stack(Tooled())).run("look", conversation=conversation)
    said, call, result, final = conversation
    assert said == UserMessage("look")
    assert isinstance(call, AssistantMessage)
    assert call.tool_calls[0].name == "look"
    assert result == ToolMessage("a wall", "t1")
    assert final == AssistantMessage('{"seen": "a wall"}')
    assert len(answer.trajectory) == 3


async def test_stream_hands_out_pieces_and_then_the_answer() -> None:
    """The deltas spell the text; the answer and the turn are there at the iteration's end."""
    conversation = Conversation()
    agent = Agent("polly", backend=stack(Parrot(parsed=1)), output=int)
    async with agent.stream("hey", conversation=conversation) as deltas:
        with pytest.raises(RuntimeError, match="iterate"):
            _ = deltas.answer
        assert "".join([delta.text async for delta in deltas]) == "hey!"
        assert deltas.answer.output == 1
        assert len(conversation) == 2
    assert deltas.answer.text == "hey!"
    assert not conversation.busy


async def test_leaving_a_stream_early_leaves_the_conversation_as_it_was() -> None:
    """Whoever does not hear the answer out has not had that turn."""
    conversation = Conversation()
    async with Agent("polly", backend=stack(Parrot())).stream(
        "hey", conversation=conversation
    ) as deltas:
        assert (await anext(deltas)).text == "h"
    assert len(conversation) == 0
    assert not conversation.busy


async def test_a_stream_raises_the_failure_as_itself() -> None:
    """No exception group around a backend's error, and the conversation is free again."""
    conversation = Conversation()
    agent = Agent("polly", backend=stack(Parrot(failure=OverloadedError("busy"))))
    async with agent.stream("hey", conversation=conversation) as deltas:
        with pytest.raises(OverloadedError):
            await anext(deltas)
    assert not conversation.busy


async def test_a_stream_with_a_bad_prompt_frees_the_conversation() -> None:
    """A prompt that can't be read fails on entering, and holds nothing."""
    conversation = Conversation()
    with pytest.raises(ValueError, match="role"):
        async with Agent("polly", backend=stack(Parrot())).stream(
            {"role": "ghost"}, conversation=conversation
        ):
            pass
    assert not conversation.busy


async def test_an_unknown_option_is_refused() -> None:
    """A misspelt option is an error at run time, too."""
    agent: Any = Agent("polly", backend=stack(Parrot()))
    with pytest.raises(TypeError, match="temprature"):
        await agent.run("hey", temprature=1)


@pytest.mark.parametrize("prompt", [[], ()])
async def test_an_empty_prompt_is_refused(prompt: Any) -> None:
    """Nothing said is nothing to answer."""
    with pytest.raises(ValueError, match="prompt is empty"):
        await Agent("polly", backend=stack(Parrot())).run(prompt)


async def test_an_agent_needs_a_name_and_a_sane_timeout() -> None:
    """Configuration errors show when the agent is made."""
    with pytest.raises(ValueError, match="needs a name"):
        Agent("", backend=stack(Parrot()))
    with pytest.raises(ValueError, match="timeout must be"):
        Agent("polly", backend=stack(Parrot()), timeout=-1)


@pytest.mark.parametrize("backend", ["gpt-5", Parrot, None, object()])
async def test_what_is_no_backend_is_refused(backend: Any) -> None:
    """A model's name, or a class, is not enough, and the error says what to pass."""
    with pytest.raises(TypeError, match="pass an instance of a backend"):
        Agent("polly", backend=backend)


@pytest.mark.parametrize("output", [Parrot, "Verdict", 5, dict[str, threading.Lock]])
async def test_what_no_answer_can_be_is_refused_when_the_agent_is_declared(output: Any) -> None:
    """A wrong output type shows where it was written, and not in the middle of a run."""
    with pytest.raises(TypeError, match="can't be an output type"):
        Agent("a", backend=Parrot(), output=output)


async def test_what_no_model_can_call_is_refused_when_the_agent_is_declared() -> None:
    """The message names the parameter that has no type."""

    def search(query):  # type: ignore[no-untyped-def]
        """Search."""

    with pytest.raises(TypeError, match="query"):
        Agent("a", backend=Parrot(), tools=[search])


async def test_an_agent_is_immutable_and_can_be_varied() -> None:
    """`replaced` gives another agent over the same backend."""
    agent = Agent("polly", backend=stack(Parrot()), instructions="Repeat.")
    with pytest.raises(AttributeError):
        agent.name = "other"  # type: ignore[misc]  # that is what is tested
    other = agent.replaced(name="molly", output=int)
    assert (other.name, other.instructions, other.output) == ("molly", "Repeat.", int)
    assert other.backend is agent.backend


async def test_a_stack_is_taken_as_it_is_and_closed_with_the_agent() -> None:
    """The agent's backend is the very stack; `aclose` closes it."""
    parrot = Parrot()
    layers = stack(parrot)
    agent = Agent("polly", backend=layers)
    assert agent.backend is layers
    await agent.aclose()
    assert parrot.closed == 1


async def test_a_plain_backend_is_wrapped_in_the_default_stack() -> None:
    """Tools, outputs, retries and timeouts work without further ado."""
    agent = Agent("polly", backend=Parrot())
    assert isinstance(agent.backend, Stack)
    assert len(agent.backend.middleware) > 3


async def test_an_agent_pickles() -> None:
    """Workers of another process get the description."""
    agent = Agent("polly", backend=stack(Parrot()), instructions="Repeat.", metadata={"a": 1})
    copy = pickle.loads(pickle.dumps(agent))
    assert (copy.name, copy.instructions, dict(copy.metadata)) == ("polly", "Repeat.", {"a": 1})
    assert (await copy.run("hello")).output == "hello!"
