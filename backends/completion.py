"""Completion: the whole of what a call brought back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, cast

from typing_extensions import TypeVar

from callboard.backends.messages import AssistantMessage, ChatMessage
from callboard.backends.usage import Usage

T_co = TypeVar("T_co", covariant=True, default=None)

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "unknown"]
"""Why the model stopped; a word that we don't know is `unknown`, and stands in `finish_raw`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRecord:
    """The tokens behind a completion, where the backend knows them. None and empty differ."""

    prompt_ids: tuple[int, ...] | None = None
    completion_ids: tuple[int, ...] | None = None
    logprobs: tuple[float, ...] | None = None
    """Natural logarithms, one for each completion id."""
    logprob_semantics: Literal["raw", "processed", "unknown"] = "unknown"
    """The model's own probabilities, or those after temperature and masks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One model call behind a completion: a plain one, a turn of the tool loop, or a repair."""

    messages: tuple[ChatMessage, ...]
    """What was sent."""
    message: AssistantMessage
    finish_reason: FinishReason
    usage: Usage
    model: str
    id: str | None = None
    tokens: TokenRecord | None = None


# Without slots: Python 3.11 can't call `Completion[int](...)` on a frozen, slotted dataclass.
@dataclass(frozen=True, kw_only=True)
class Completion(Generic[T_co]):
    """What a call brought back: whole, counted, and valid where an output type was asked for."""

    message: AssistantMessage
    finish_reason: FinishReason = "stop"
    finish_raw: str | None = None
    """The server's own word for the finish reason."""
    usage: Usage = field(default_factory=Usage)
    """The sum over the steps."""
    parsed: T_co = cast("T_co", None)  # noqa: RUF009 - a constant; the type says None without output
    """The answer as the request's output type; None where none was asked for."""
    logprobs: Mapping[str, Any] | None = None
    """The server's own logprobs object."""
    tokens: TokenRecord | None = None
    model: str = ""
    """The model that answered, in the server's words."""
    id: str | None = None
    """The server's name for the answer."""
    steps: tuple[Step, ...] = ()
    """Every model call behind this completion, in order; the last one produced it."""
    raw: Any = None
    """The foreign answer, for what this class has no field for."""

    @property
    def text(self) -> str:
        """The answer's text, empty where there is none."""
        return self.message.content or ""

    @property
    def refusal(self) -> str | None:
        """The model's words where it declined to answer."""
        return self.message.refusal
