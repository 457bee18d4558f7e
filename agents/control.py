"""Messages to an agent besides the prompt: none of them ever waits for a model call."""

from dataclasses import dataclass

from callboard.agents.agent_status import AgentStatus
from callboard.agents.conversation import Conversation
from callboard.runtime.message import Message


@dataclass(frozen=True, slots=True)
class Interrupt(Message[int]):
    """Ends prompts, under way and waiting; the reply is how many there were.

    Whoever waits for one of them gets AgentInterruptedError, and its conversation is as it was
    before. Prompts that arrive later are not affected.
    """

    conversation: str | None = None
    """Only the prompts of this conversation; None for all of the agent's."""


@dataclass(frozen=True, slots=True)
class GetStatus(Message[AgentStatus]):
    """Asks what an agent is busy with."""


@dataclass(frozen=True, slots=True)
class GetConversation(Message[Conversation]):
    """Asks for a copy of a conversation, as of its last whole turn.

    The asker gets ConversationUnknownError if the agent has none of that id.
    """

    conversation: str


@dataclass(frozen=True, slots=True)
class Forget(Message[bool]):
    """Ends a conversation; the reply is whether there was one.

    The asker gets ConversationBusyError while prompts of it are under way or waiting.
    """

    conversation: str
