"""Request: everything that a backend is asked, in one immutable value."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, Literal, TypeAlias, overload

from typing_extensions import TypeForm, TypeVar

from callboard.backends.message_reading import to_messages
from callboard.backends.messages import ChatMessage, MessageLike
from callboard.backends.response_format import ResponseFormat
from callboard.backends.sampling import SamplingParams
from callboard.backends.tool import Tool, to_tool

T = TypeVar("T", default=None)

ToolChoice: TypeAlias = Literal["auto", "none", "required"] | str
"""Whether the model may, must not or must call a tool; any other word is the tool that it must."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_DEFAULTS = SamplingParams()


# Without slots: Python 3.11 can't call `Request[int](...)` on a frozen, slotted dataclass.
@dataclass(frozen=True, init=False)
class Request(Generic[T]):
    """One call's worth of asking. Immutable; derive another with `extended` or `replaced`.

    The type of `output` decides that of `Completion.parsed`, for mypy and pyright alike.
    """

    messages: tuple[ChatMessage, ...]
    """The conversation, oldest first."""
    tools: tuple[Tool, ...]
    """What the model may call. Tools without a function are returned to the caller."""
    tool_choice: ToolChoice | None
    output: Any
    """The type that the answer must have; None for plain text."""
    sampling: SamplingParams
    metadata: Mapping[str, Any]
    """The caller's notes: they go into traces, and are not sent. `caller` names who is asking."""
    timeout: float | None
    """Seconds for the whole call, retries and tools included; None leaves the ambient deadline."""
    response_format: ResponseFormat | None
    """What the server is to hold the answer to: set by the StructuredOutput middleware, from
    `output`, and read by backends. Not an argument; `replaced(response_format=...)` sets it."""

    @overload
    def __init__(
        self: "Request[None]",
        messages: MessageLike | Iterable[MessageLike],
        *,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        tool_choice: ToolChoice | None = None,
        output: None = None,
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        messages: MessageLike | Iterable[MessageLike],
        *,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        tool_choice: ToolChoice | None = None,
        output: TypeForm[T],
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> None: ...

    def __init__(
        self,
        messages: MessageLike | Iterable[MessageLike],
        *,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        tool_choice: ToolChoice | None = None,
        output: Any = None,
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Ask a model.

        Args:
            messages: Messages, plain strings (the user's words) or OpenAI-style dicts.
            tools: Tools, or functions whose signature and docstring describe them.
            tool_choice: `auto`, `none`, `required`, or the name of the tool to call.
            output: A pydantic model, dataclass, `int | None`, `Literal[...]`, ...
            sampling: Temperature and the like.
            metadata: The caller's notes, for traces; never sent.
            timeout: Seconds for the whole call.

        Raises:
            ValueError: If a message can't be read, or the timeout is negative or no number.
            TypeError: If a function can't be described as a tool.
        """
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
        self.__dict__.update(
            messages=to_messages(messages),
            tools=tuple(map(to_tool, tools)),
            tool_choice=tool_choice,
            output=output,
            sampling=_DEFAULTS if sampling is None else sampling,
            metadata=_NOTHING if metadata is None else metadata,
            timeout=timeout,
            response_format=None,
        )

    def extended(self, *messages: ChatMessage) -> "Request[T]":
        """Return this request with more messages at the end: the next turn of the conversation."""
        return self.replaced(messages=(*self.messages, *messages))

    def replaced(self, **changes: Any) -> "Request[Any]":
        """Return a copy with these fields changed, unchecked: for middleware, on the hot path.

        Raises:
            TypeError: If the request has no such field.
        """
        if not changes.keys() <= self.__dict__.keys():
            raise TypeError(f"a request has {sorted(self.__dict__)}, got {sorted(changes)}")
        return _rebuild({**self.__dict__, **changes})

    def __reduce__(self) -> tuple[object, ...]:
        """Requests pickle, whatever mapping the metadata came in."""
        return _rebuild, ({**self.__dict__, "metadata": dict(self.metadata)},)


def _rebuild(values: Mapping[str, Any]) -> Request[Any]:
    request: Request[Any] = object.__new__(Request)
    request.__dict__.update(values)
    return request
