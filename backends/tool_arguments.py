"""ToolArguments: reads the arguments that a model wrote, for the function that is to get them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from callboard.backends.output.nulls import without_refused_nulls
from callboard.backends.output.problems import problems_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgumentReading:
    """What became of a call's arguments: values, or the problems with them."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    problems: tuple[str, ...] = ()
    """What is wrong, one sentence each; empty where the arguments are valid."""


class ToolArguments:
    """The parameters of one function, and the validation of what a model passes for them.

    Args:
        adapter: Validates a dict of the arguments by name; None takes any JSON object that the
            function's signature can be called with, for a schema that somebody wrote by hand.
        positional: The parameters that must be passed by position.
    """

    __slots__ = ("_adapter", "_positional")

    def __init__(
        self, adapter: TypeAdapter[Any] | None = None, positional: tuple[str, ...] = ()
    ) -> None:
        self._adapter = adapter
        self._positional = positional

    @property
    def described(self) -> bool:
        """Whether arguments are validated, because they came from a signature."""
        return self._adapter is not None

    def read(self, text: str, function: Callable[..., Any], *, empty: bool) -> ArgumentReading:
        """Read arguments.

        Args:
            text: JSON as the model wrote it: not necessarily whole, or valid.
            function: What is to be called with them.
            empty: Whether the tool takes no arguments, so that no text at all is fine.
        """
        if not text.strip():
            if not empty:
                return ArgumentReading(problems=("the arguments are empty",))
            text = "{}"
        if self._adapter is None:
            return _read_unchecked(text, function)
        try:
            values = _validated(self._adapter, text)
        except ValidationError as error:
            return ArgumentReading(problems=problems_of(error))
        args = tuple(values.pop(name) for name in self._positional if name in values)
        return ArgumentReading(args=args, kwargs=values)


def _validated(adapter: TypeAdapter[Any], text: str) -> dict[str, Any]:
    try:
        return dict(adapter.validate_json(text))
    except ValidationError as error:
        # Strict servers make a model name what it would leave out: null then means the default.
        if not any(one["input"] is None for one in error.errors(include_url=False)):
            raise
        value = from_json(text)
        if not without_refused_nulls(value, error):
            raise
        return dict(adapter.validate_python(value))


def _read_unchecked(text: str, function: Callable[..., Any]) -> ArgumentReading:
    try:
        values = from_json(text)
    except ValueError as error:
        return ArgumentReading(problems=(f"it is no valid JSON: {error}",))
    if not isinstance(values, dict):
        return ArgumentReading(problems=("the arguments are no JSON object",))
    try:
        bound = inspect.signature(function).bind(**cast("dict[str, Any]", values))
    except TypeError as error:
        return ArgumentReading(problems=(str(error),))
    except ValueError:  # a builtin that tells no signature
        return ArgumentReading(kwargs=cast("dict[str, Any]", values))
    return ArgumentReading(args=bound.args, kwargs=bound.kwargs)
