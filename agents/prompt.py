"""Prompt: the message that has an agent answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from callboard.agents.answer import Answer
from callboard.agents.exchange import Messages
from callboard.backends.message_reading import to_messages
from callboard.backends.messages import MessageLike
from callboard.backends.sampling import SamplingParams
from callboard.runtime.message import Message


@dataclass(frozen=True, slots=True)
class Prompt(Message[Answer[Any]]):
    """Has an agent answer; cancelled with whoever waits for the answer.

    Prompts of one conversation are answered one after the other, in the order in which they
    arrived. Prompts of different conversations, and prompts without one, do not wait for each
    other.

    Raises:
        ValueError: If there is nothing in it, or a message can't be read.
    """

    default_timeout: ClassVar[float] = 300.0
    cancel_with_asker: ClassVar[bool] = True

    content: MessageLike | Iterable[MessageLike]
    """Messages, plain strings (the user's words) or OpenAI-style dicts; see `messages`."""
    conversation: str | None = None
    """The id of the conversation that goes on, or begins; None for a prompt that stands alone."""
    output: Any = None
    """The type of this answer, instead of the agent's own."""
    sampling: SamplingParams | None = None
    """Over the agent's own, field by field."""
    metadata: Mapping[str, Any] | None = None
    """Notes for the traces; never sent."""
    messages: Messages = field(init=False, repr=False)
    """The content, read."""

    def __post_init__(self) -> None:
        messages = to_messages(self.content)
        if not messages:
            raise ValueError("the prompt is empty: say something, or pass at least one message")
        object.__setattr__(self, "messages", messages)
