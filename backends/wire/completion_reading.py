"""Reads a whole answer of chat completions: leniently, and never a thing that is none."""

from typing import Any

from callboard.backends.classify import error_in_answer
from callboard.backends.completion import Completion, Step
from callboard.backends.errors import BackendProtocolError
from callboard.backends.messages import ChatMessage
from callboard.backends.wire.assistant_reading import read_assistant
from callboard.backends.wire.finish_reading import finish_reason
from callboard.backends.wire.foreign import field, items, plain, text
from callboard.backends.wire.token_reading import read_tokens
from callboard.backends.wire.usage_reading import read_usage


def read_completion(
    answer: Any, *, messages: tuple[ChatMessage, ...], model: str
) -> Completion[Any]:
    """Read an answer, be it a dict, an SDK object or another object of that shape.

    Args:
        answer: What the server, or the injected client, returned.
        messages: What was sent, for the completion's one step.
        model: What was asked, for servers that do not say who answered.

    Raises:
        BackendProtocolError: If there is no choice with a message in it.
        BackendError: If the answer is an error in a successful answer's clothes.
    """
    choice = _choice(answer)
    answer_id = text(field(answer, "id")) or None
    message = read_assistant(_message(choice, answer), answer_id)
    raw = text(field(choice, "finish_reason"))
    logprobs = field(choice, "logprobs")
    step = Step(
        messages=messages,
        message=message,
        finish_reason=finish_reason(raw, called=bool(message.tool_calls)),
        usage=read_usage(field(answer, "usage")),
        model=text(field(answer, "model")) or model,
        id=answer_id,
        tokens=read_tokens(answer, choice, logprobs),
    )
    return completion_of(step, finish_raw=raw, logprobs=plain(logprobs), raw=answer)


def completion_of(
    step: Step, *, finish_raw: str | None, logprobs: Any, raw: Any
) -> Completion[Any]:
    """Return the completion of one single step."""
    return Completion(
        message=step.message,
        finish_reason=step.finish_reason,
        finish_raw=finish_raw,
        usage=step.usage,
        logprobs=logprobs,
        tokens=step.tokens,
        model=step.model,
        id=step.id,
        steps=(step,),
        raw=raw,
    )


def _choice(answer: Any) -> Any:
    for choice in items(field(answer, "choices")):
        if choice is not None:
            return choice
    raise error_in_answer(answer) or _no_answer("has no choices", answer)


def _message(choice: Any, answer: Any) -> Any:
    message = field(choice, "message")
    if message is not None:
        return message
    words = text(field(choice, "text"))
    if words is None:
        raise _no_answer("has a choice without a message", answer)
    return {"content": words}


def _no_answer(what: str, answer: Any) -> BackendProtocolError:
    shown = answer if isinstance(answer, str) else repr(plain(answer))
    return BackendProtocolError(
        f"the server's answer {what}, so there is nothing to read; check that base_url points to "
        f"an OpenAI-compatible chat completions API (the answer is in `body`)",
        body=shown,
    )
