"""What type checkers refuse of agents."""

from dataclasses import dataclass

from callboard.agents import Agent, AgentRef, Answer, Conversation, Forget, Interrupt, Prompt
from callboard.backends import Backend


@dataclass(frozen=True)
class Verdict:
    fair: bool


def describe(backend: Backend) -> None:
    wrong: Agent[int] = Agent("a", backend=backend, output=Verdict)  # E
    Agent("a", backend=backend, output=3)  # E
    Agent("a", backend="gpt")  # E
    Agent("a", backend=backend, instruction="typo")  # E
    agent = Agent("a", backend=backend)
    agent.name = "b"  # E


async def run(judge: Agent[Verdict]) -> None:
    text: str = (await judge.run("hi")).output  # E
    wrong: Answer[int] = await judge.run("hi")  # E
    await judge.run(3)  # E
    await judge.run("hi", conversation="c1")  # E
    await judge.run("hi", timeout="soon")  # E
    await judge.run("hi", temperature=1)  # E
    judge.run_sync("hi").output.unfair  # E
    async with judge.stream("hi") as deltas:
        deltas.answer.output.unfair  # E


async def spawn(ref: AgentRef[Verdict]) -> None:
    text: str = (await ref.run("hi")).output  # E
    await ref.run("hi", conversation=Conversation())  # E
    status: str = await ref.status()  # E
    ended: str = await ref.ask(Interrupt())  # E
    Forget(None)  # E
    await ref.ask("hi")  # E
    Prompt("hi", conversation=Conversation())  # E
