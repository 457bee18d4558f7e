"""Estimates usage where nobody counts it: four characters a token, as a rule of thumb.

A message costs four tokens more than its text, as in OpenAI's chat format; an image costs 85, the
least that OpenAI bills for one. Tool schemas are not counted. Good enough for a double, a progress
bar or a budget's first guess, and never for a bill.
"""

from collections.abc import Iterable

from callboard.backends.messages import AssistantMessage, ChatMessage, UserMessage
from callboard.backends.parts import TextPart
from callboard.backends.usage import Usage

CHARACTERS_PER_TOKEN = 4
MESSAGE_TOKENS = 4
IMAGE_TOKENS = 85


def estimate_usage(messages: Iterable[ChatMessage], answer: AssistantMessage) -> Usage:
    """Estimate what a call cost.

    Args:
        messages: What was sent.
        answer: What came back; its reasoning counts as output.
    """
    sent = sum(map(_message_tokens, messages))
    return Usage(input=sent, output=_answer_tokens(answer))


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text, rounded up."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def _message_tokens(message: ChatMessage) -> int:
    if isinstance(message, AssistantMessage):
        return MESSAGE_TOKENS + _answer_tokens(message)
    if isinstance(message, UserMessage) and not isinstance(message.content, str):
        return MESSAGE_TOKENS + sum(
            estimate_tokens(part.text) if isinstance(part, TextPart) else IMAGE_TOKENS
            for part in message.content
        )
    return MESSAGE_TOKENS + estimate_tokens(str(message.content))


def _answer_tokens(answer: AssistantMessage) -> int:
    characters = len(answer.content or "") + len(answer.reasoning or "")
    for call in answer.tool_calls:
        characters += len(call.name) + len(call.arguments)
    return -(-characters // CHARACTERS_PER_TOKEN)
