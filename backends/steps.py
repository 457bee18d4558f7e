"""The steps of a completion: every model call behind it, whoever made them."""

from typing import Any

from callboard.backends.completion import Completion, Step
from callboard.backends.request import Request


def steps_of(request: Request[Any], completion: Completion[Any]) -> tuple[Step, ...]:
    """Return the steps behind a completion; one that records none is a single step itself.

    Args:
        request: What was asked to get it.
        completion: What came back.
    """
    return completion.steps or (
        Step(
            messages=request.messages,
            message=completion.message,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            model=completion.model,
            id=completion.id,
            tokens=completion.tokens,
        ),
    )
