"""What type checkers infer of agents: the output type carries from the agent to the answer."""

from dataclasses import dataclass
from typing import Literal, assert_type

from callboard.agents import (
    Agent,
    AgentRef,
    AgentStatus,
    Answer,
    AnswerStream,
    Conversation,
    Forget,
    GetConversation,
    GetStatus,
    Interrupt,
    Prompt,
)
from callboard.backends import Backend, SamplingParams, Usage, UserMessage
from callboard.runtime import Actor, Runtime


@dataclass(frozen=True)
class Verdict:
    fair: bool


def describe(backend: Backend) -> None:
    """The constructor decides the type."""
    assert_type(Agent("a", backend=backend), Agent[str])
    assert_type(Agent("a", backend=backend, output=Verdict), Agent[Verdict])
    assert_type(Agent("a", backend=backend, output=list[Verdict]), Agent[list[Verdict]])
    assert_type(Agent[Verdict]("a", backend=backend, output=Verdict), Agent[Verdict])
    maybe: Agent[int | None] = Agent("a", backend=backend, output=int | None)
    wider: Agent[object] = maybe
    print(wider.name)


async def run(text: Agent[str], judge: Agent[Verdict]) -> None:
    """A run has the agent's type, unless it is given one of its own."""
    assert_type(await text.run("hi"), Answer[str])
    answer = await judge.run(["hi", UserMessage("there"), {"role": "user", "content": "!"}])
    assert_type(answer, Answer[Verdict])
    assert_type(answer.output, Verdict)
    assert_type(answer.text, str)
    assert_type(answer.usage, Usage)
    assert_type((await judge.run("hi", output=int)).output, int)
    assert_type((await text.run("hi", output=Verdict)).output, Verdict)
    word = (await text.run("hi", output=Literal["yes", "no"])).output
    assert_type(word, Literal["yes", "no"])
    conversation = Conversation(["hi"], window=3)
    await judge.run(
        "hi",
        conversation=conversation,
        tools=[len],
        sampling=SamplingParams(seed=1),
        metadata={"a": 1},
        timeout=1.0,
    )
    assert_type(judge.run_sync("hi").output, Verdict)
    assert_type(judge.run_sync("hi", output=int).output, int)


async def stream(judge: Agent[Verdict]) -> None:
    """A stream's answer is typed like a run's."""
    async with judge.stream("hi") as deltas:
        async for delta in deltas:
            assert_type(delta.text, str)
    assert_type(deltas, AnswerStream[Verdict])
    assert_type(deltas.answer.output, Verdict)
    assert_type(judge.stream("hi", output=int), AnswerStream[int])


async def spawn(runtime: Runtime, judge: Agent[Verdict]) -> None:
    """A reference keeps the type, and messages have their replies."""
    ref = await judge.spawn(runtime, name="judge")
    assert_type(ref, AgentRef[Verdict])
    assert_type((await ref.run("hi", conversation="c1", timeout=2.0)).output, Verdict)
    assert_type((await ref.run("hi", output=int)).output, int)
    assert_type(await ref.ask(Interrupt("c1")), int)
    assert_type(await ref.ask(GetStatus()), AgentStatus)
    assert_type(await ref.ask(GetConversation("c1")), Conversation)
    assert_type(await ref.ask(Forget("c1")), bool)
    assert_type(await ref.interrupt(), int)
    assert_type(await ref.status(), AgentStatus)
    await ref.tell(Prompt("hi", conversation="c1"))


class Chair(Actor):
    """An actor may have agents as children."""

    def __init__(self, judge: Agent[Verdict]) -> None:
        self.judge = judge

    async def on_start(self) -> None:
        assert_type(await self.judge.spawn(self.context), AgentRef[Verdict])
