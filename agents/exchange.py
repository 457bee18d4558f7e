"""Exchanges: a conversation cut where the user speaks, and what one run adds to it. All pure.

An exchange begins with what the user says and holds everything up to the user's next words: tool
calls, their results, the answer. Cutting only there never parts a tool call from its result.
"""

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import TypeAlias

from callboard.backends.completion import Completion, Step
from callboard.backends.messages import (
    AssistantMessage,
    ChatMessage,
    SystemMessage,
    ToolMessage,
    UserMessage,
)

Messages: TypeAlias = tuple[ChatMessage, ...]


def split(messages: Sequence[ChatMessage]) -> tuple[Messages, ...]:
    """Cut a history into exchanges; joined again they are the history."""
    cuts = [at for at in range(len(messages)) if at == 0 or _opens(messages[at - 1], messages[at])]
    bounds = pairwise([*cuts, len(messages)])
    return tuple(tuple(messages[start:end]) for start, end in bounds)


def _opens(before: ChatMessage, message: ChatMessage) -> bool:
    asking = (SystemMessage, UserMessage)
    return isinstance(message, asking) and not isinstance(before, asking)


def window_of(messages: Sequence[ChatMessage], size: int | None) -> Messages:
    """Return the last exchanges, after the system messages that head the history.

    Args:
        messages: The whole history.
        size: How many exchanges to keep; None keeps all of them.
    """
    if size is None:
        return tuple(messages)
    head = tuple(takewhile(lambda message: isinstance(message, SystemMessage), messages))
    kept = split(messages[len(head) :])[-size:]
    return (*head, *(message for exchange in kept for message in exchange))


def unanswered(messages: Sequence[ChatMessage]) -> tuple[str, ...]:
    """Return the ids of the tool calls that still lack their result."""
    answered = {message.tool_call_id for message in messages if isinstance(message, ToolMessage)}
    last = next((m for m in reversed(messages) if isinstance(m, AssistantMessage)), None)
    return tuple(call.id for call in last.tool_calls if call.id not in answered) if last else ()


def added_by(said: Sequence[ChatMessage], completion: Completion[object]) -> Messages:
    """Return what one run adds to a conversation: the prompt, the tool turns and the answer.

    Repairs are left out, and so is whatever middleware wrote into the prompt: a conversation
    holds what was said, not how the answer was wrung out.

    Args:
        said: The prompt.
        completion: What came back, with the steps behind it.
    """
    turns: list[ChatMessage] = []
    for step, following in pairwise(completion.steps):
        results = _results(step, following)
        if results:
            turns += [step.message, *results]
    return (*said, *turns, completion.message)


def _results(step: Step, following: Step) -> list[ChatMessage]:
    """Find a step's tool results in what the following step was sent."""
    if not step.message.tool_calls:
        return []
    sent = following.messages
    for at in range(len(sent) - 1, -1, -1):
        message = sent[at]
        if isinstance(message, AssistantMessage) and message.tool_calls == step.message.tool_calls:
            return list(takewhile(lambda m: isinstance(m, ToolMessage), sent[at + 1 :]))
    return []
