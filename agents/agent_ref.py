"""AgentRef: the capability to talk to an agent that lives as an actor."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, overload

from typing_extensions import TypeForm, TypeVar

from callboard.agents.agent_status import AgentStatus
from callboard.agents.answer import Answer
from callboard.agents.control import Forget, GetConversation, GetStatus, Interrupt
from callboard.agents.conversation import Conversation
from callboard.agents.prompt import Prompt
from callboard.backends.messages import MessageLike
from callboard.backends.sampling import SamplingParams
from callboard.runtime.ref import ActorRef

T_co = TypeVar("T_co", covariant=True, default=str)
U = TypeVar("U")


class AgentRef(ActorRef, Generic[T_co]):
    """An ActorRef to an agent: `run` is the typed way to ask it a `Prompt`."""

    __slots__ = ()

    @classmethod
    def of(cls, ref: ActorRef) -> "AgentRef[Any]":
        """Return a reference to the agent behind another one, such as `Runtime.find` gives."""
        return AgentRef(ref.endpoint)

    @overload
    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        conversation: str | None = None,
        output: None = None,
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer[T_co]: ...

    @overload
    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        conversation: str | None = None,
        output: TypeForm[U],
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer[U]: ...

    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        conversation: str | None = None,
        output: Any = None,
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Answer[Any]:
        """Have the agent answer; cancelling this call cancels the model call behind it.

        Prompts of one conversation are answered in the order in which they were sent by one
        sender; a turn that fails or is cancelled leaves the conversation as it was.

        Args:
            prompt: Messages, plain strings (the user's words) or OpenAI-style dicts.
            conversation: Goes on with the conversation of this id, or begins it.
            output: The type of this answer, instead of the agent's own.
            sampling: Over the agent's own, field by field.
            metadata: Notes for the traces; never sent.
            timeout: Seconds for everything, waiting for earlier prompts of the conversation
                included; None means Prompt's `default_timeout`.

        Raises:
            BackendError: The model call failed; its subclasses say how.
            AgentError: The agent is too busy, or was interrupted.
            ActorError: The message could not be handled; see `ActorRef.ask`.
            ValueError: If a message can't be read.
        """
        message = Prompt(prompt, conversation, output, sampling, metadata)
        return await self.ask(message, timeout=timeout)

    async def interrupt(self, conversation: str | None = None) -> int:
        """End the prompts of a conversation, or all; return how many. See `Interrupt`."""
        return await self.ask(Interrupt(conversation))

    async def status(self) -> AgentStatus:
        """Return what the agent is busy with, without waiting for it to be done."""
        return await self.ask(GetStatus())

    async def conversation(self, id: str) -> Conversation:  # noqa: A002 - what everybody calls it
        """Return a copy of a conversation, as of its last whole turn.

        Raises:
            ConversationUnknownError: If the agent has none of that id.
        """
        return await self.ask(GetConversation(id))

    async def forget(self, id: str) -> bool:  # noqa: A002 - what everybody calls it
        """End a conversation; return whether there was one.

        Raises:
            ConversationBusyError: While prompts of it are under way or waiting.
        """
        return await self.ask(Forget(id))
