"""Whatever happens to an agent's prompts, its conversations hold whole turns, in order."""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from callboard.agents.agent import Agent
from callboard.agents.agent_ref import AgentRef
from callboard.agents.errors import AgentInterruptedError, ConversationUnknownError
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.request import Request
from callboard.backends.stack import stack
from callboard.runtime.system import Runtime

Event = tuple[str, str]
names = st.sampled_from(["c1", "c2"])
events: st.SearchStrategy[list[Event]] = st.lists(
    st.tuples(st.sampled_from(["prompt", "prompt", "let", "fail", "cancel", "interrupt"]), names),
    max_size=25,
)


@dataclass
class World:
    """The calls under way by conversation, and the askers who could be cancelled."""

    calls: dict[str, list[anyio.Event]] = field(default_factory=dict)
    failing: set[anyio.Event] = field(default_factory=set)
    askers: dict[str, list[anyio.CancelScope]] = field(default_factory=dict)
    most: int = 0

    async def answer(self, request: Request[Any]) -> str:
        """Wait until somebody lets this call through, or has it fail."""
        under_way = self.calls.setdefault(request.metadata["conversation"], [])
        gate = anyio.Event()
        under_way.append(gate)
        self.most = max(self.most, len(under_way))
        try:
            await gate.wait()
        finally:
            under_way.remove(gate)
        if gate in self.failing:
            raise OverloadedError("no")
        return f"re {request.messages[-1].content}"

    async def ask(self, ref: AgentRef[str], said: str, conversation: str) -> None:
        """Ask until there is an answer, a failure, an interrupt, or nobody who waits."""
        with anyio.CancelScope() as scope:
            self.askers.setdefault(conversation, []).append(scope)
            with suppress(OverloadedError, AgentInterruptedError):
                await ref.run(said, conversation=conversation)

    async def happen(self, event: Event, ref: AgentRef[str]) -> None:
        """Let one thing happen to a conversation, if it can."""
        kind, name = event
        if kind in ("let", "fail") and self.calls.get(name):
            gate = self.calls[name][0]
            if kind == "fail":
                self.failing.add(gate)
            gate.set()
        if kind == "cancel" and self.askers.get(name):
            self.askers[name].pop().cancel()
        if kind == "interrupt":
            await ref.interrupt(name)


@given(events)
@settings(max_examples=40, deadline=None)
def test_conversations_hold_whole_turns_in_order(drawn: list[Event]) -> None:
    """Answers, failures, cancelled askers and interrupts, in any order, on two conversations."""
    for loop in ("asyncio", "trio"):
        anyio.run(_lived_through, drawn, backend=loop)


async def _lived_through(drawn: list[Event]) -> None:
    world = World()
    async with Runtime() as runtime:
        ref = await Agent("a", backend=stack(FunctionBackend(world.answer))).spawn(runtime)
        async with anyio.create_task_group() as tasks:
            for number, event in enumerate(drawn):
                if event[0] == "prompt":
                    tasks.start_soon(world.ask, ref, f"{number:03}", event[1])
                else:
                    await world.happen(event, ref)
                await anyio.wait_all_tasks_blocked()
            await ref.interrupt()
        assert world.most <= 1
        assert (await ref.status()).prompts == 0
        for name in ("c1", "c2"):
            said = [str(m.content) for m in await _history(ref, name)]
            prompts = said[::2]
            assert said == [word for prompt in prompts for word in (prompt, f"re {prompt}")]
            assert prompts == sorted(prompts)
        assert runtime.statistics().restarts == 0


async def _history(ref: AgentRef[str], name: str) -> Any:
    try:
        return await ref.conversation(name)
    except ConversationUnknownError:
        return ()
