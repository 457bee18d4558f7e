"""Asking: one prompt on its way to the model, and how its completion becomes an answer."""

from dataclasses import dataclass
from typing import Any

from callboard.agents.answer import Answer
from callboard.agents.conversation import Conversation
from callboard.agents.exchange import Messages, added_by
from callboard.backends.completion import Completion
from callboard.backends.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """One prompt on its way to the model."""

    agent: str
    """Who is asked."""
    request: Request[Any]
    """What the model is sent."""
    said: Messages
    """The prompt alone, without instructions and history."""
    conversation: Conversation | None
    """What the turn is added to, once it is whole."""

    def conclude(self, completion: Completion[Any]) -> Answer[Any]:
        """Make the answer, and add the turn to the conversation in the same step."""
        messages = added_by(self.said, completion)
        if self.conversation is not None:
            self.conversation.extend(messages)
        return Answer(
            agent=self.agent,
            completion=completion,
            expects=self.request.output,
            messages=messages,
            conversation=self.conversation.id if self.conversation is not None else None,
        )
