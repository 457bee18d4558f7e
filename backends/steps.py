"""The steps of a completion: every model call behind it, whoever made them."""

from dataclasses import replace
from typing import Any

from callboard.backends.completion import Completion, Step
from callboard.backends.request import Request
from callboard.backends.usage import Usage


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


def totalled(completion: Completion[Any], steps: tuple[Step, ...]) -> Completion[Any]:
    """Return a completion that stands for all these steps: theirs, and the sum of their usage.

    Args:
        completion: What the last of the steps brought back.
        steps: Every model call behind it, in order.
    """
    return replace(
        completion, steps=steps, usage=sum((step.usage for step in steps), start=Usage())
    )


def with_parsed(completion: Completion[Any], value: Any) -> Completion[Any]:
    """Return a completion with its parsed output; like `replace`, at a fraction of the cost.

    Args:
        completion: What the model answered.
        value: The same as an instance of the output type.
    """
    copy: Completion[Any] = object.__new__(Completion)
    copy.__dict__.update(completion.__dict__)
    copy.__dict__["parsed"] = value
    return copy
