"""AgentActor: an agent as an actor, which answers many conversations at a time."""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import anyio

from callboard.agents.agent_status import AgentStatus
from callboard.agents.answer import Answer
from callboard.agents.answering import Answering
from callboard.agents.control import Forget, GetConversation, GetStatus, Interrupt
from callboard.agents.conversation import Conversation
from callboard.agents.conversation_store import ConversationStore
from callboard.agents.errors import (
    AgentBusyError,
    AgentError,
    AgentInterruptedError,
    ConversationBusyError,
)
from callboard.agents.prompt import Prompt
from callboard.backends.errors import BackendError
from callboard.runtime.actor import Actor


@dataclass(slots=True, eq=False)
class _Lane:
    """The prompts of one conversation, which pass one at a time, first come first served."""

    lock: anyio.Lock = field(default_factory=anyio.Lock)
    prompts: int = 0


@dataclass(slots=True, eq=False)
class _Taken:
    """A prompt under way or waiting."""

    conversation: str | None
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


class AgentActor(Actor):
    """An agent as an actor; `Agent.spawn` starts one.

    Each prompt is answered in a task of its own: one at a time within a conversation, in order of
    arrival, and side by side otherwise. Every other message is therefore handled at once, however
    long the model takes. Stopping the actor cancels its model calls.

    All of its handlers are reentrant: those start in order of arrival, so that an Interrupt finds
    the prompts that were sent before it.

    Errors of the backend and of the agent reach the asker as they are, and are no failure of the
    actor. Where nobody asked, since the prompt was told, they are logged.

    Args:
        agent: Who answers.
        conversations: Lives longer than the actor, so that a restart forgets nothing.
        max_prompts: Prompts that may be under way or wait; more are refused.
    """

    reply_errors: ClassVar[tuple[type[BaseException], ...]] = (BackendError, AgentError)

    def __init__(
        self,
        agent: Answering,
        conversations: ConversationStore,
        max_prompts: int = 1024,
    ) -> None:
        self._agent = agent
        self._conversations = conversations
        self._max_prompts = max_prompts
        self._lanes: dict[str, _Lane] = {}
        self._taken: set[_Taken] = set()

    @Prompt.handler(reentrant=True)
    async def answer(self, message: Prompt) -> Answer[Any]:
        """Answer a prompt when the earlier ones of its conversation are done."""
        told = math.isinf(self.context.deadline)
        try:
            return await self._interruptibly(message)
        except self.reply_errors as error:
            if not told:
                raise
            self.context.log.error(  # noqa: TRY400 - an expected error needs no traceback
                "a prompt that was told has failed", error=str(error)
            )
            return cast("Answer[Any]", None)  # Nobody waits for it.

    @Interrupt.handler(reentrant=True)
    async def interrupt(self, message: Interrupt) -> int:
        """End prompts under way and waiting."""
        every = message.conversation is None
        ended = [t for t in self._taken if every or t.conversation == message.conversation]
        for taken in ended:
            taken.scope.cancel()
        return len(ended)

    @GetStatus.handler(reentrant=True)
    async def status(self, _message: GetStatus) -> AgentStatus:
        """Say what it is busy with."""
        return AgentStatus(
            agent=self._caller,
            prompts=len(self._taken),
            busy={name: lane.prompts for name, lane in self._lanes.items()},
            conversations=len(self._conversations),
        )

    @GetConversation.handler(reentrant=True)
    async def conversation(self, message: GetConversation) -> Conversation:
        """Hand out a copy of a conversation."""
        return self._conversations.copy(message.conversation)

    @Forget.handler(reentrant=True)
    async def forget(self, message: Forget) -> bool:
        """End a conversation that has no prompts."""
        if message.conversation in self._lanes:
            raise ConversationBusyError(message.conversation)
        return self._conversations.drop(message.conversation)

    @property
    def _caller(self) -> str:
        return str(self.context.ref.address)

    async def _interruptibly(self, message: Prompt) -> Answer[Any]:
        if len(self._taken) >= self._max_prompts:
            raise AgentBusyError(self._caller, self._max_prompts)
        taken = _Taken(message.conversation)
        self._taken.add(taken)
        try:
            with taken.scope:
                return await self._in_turn(message)
        finally:
            self._taken.discard(taken)
        raise AgentInterruptedError(self._caller, message.conversation)

    async def _in_turn(self, message: Prompt) -> Answer[Any]:
        id = message.conversation  # noqa: A001 - what everybody calls it
        if id is None:
            return await self._run(message, None)
        conversation = self._conversations.open(id)
        lane = self._lanes.setdefault(id, _Lane())
        lane.prompts += 1
        try:
            async with lane.lock:
                return await self._run(message, conversation)
        finally:
            lane.prompts -= 1
            if not lane.prompts:
                del self._lanes[id]
                self._conversations.drop_if_empty(id)

    async def _run(self, message: Prompt, conversation: Conversation | None) -> Answer[Any]:
        return await self._agent.run(
            message.messages,
            output=message.output,
            conversation=conversation,
            sampling=message.sampling,
            metadata={"caller": self._caller, **(message.metadata or {})},
        )
