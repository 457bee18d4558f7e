"""Answer: what an agent brings back from one run."""

from dataclasses import dataclass
from typing import Any, Generic, cast

from typing_extensions import TypeVar

from callboard.agents.errors import OutputMissingError
from callboard.backends.completion import Completion, Step
from callboard.backends.messages import ChatMessage
from callboard.backends.usage import Usage

T_co = TypeVar("T_co", covariant=True, default=str)


# Without slots: Python 3.11 can't call `Answer[Verdict](...)` on a frozen, slotted dataclass.
@dataclass(frozen=True, kw_only=True)
class Answer(Generic[T_co]):
    """What an agent brings back from one run."""

    agent: str
    """Who answered."""
    completion: Completion[Any]
    """The whole answer as the backend gave it."""
    expects: Any = None
    """The output type that was asked for, None for text."""
    messages: tuple[ChatMessage, ...] = ()
    """What the run adds to a conversation: the prompt, the tool turns, the answer."""
    conversation: str | None = None
    """The id of the conversation that it belongs to, None for a run that stands alone."""

    @property
    def output(self) -> T_co:
        """The answer as the output type; the text where none was asked for.

        Raises:
            OutputMissingError: If the model wants an external tool called first, or the backend's
                stack has no StructuredOutput.
        """
        if self.expects is None:
            return cast("T_co", self.completion.text)
        parsed = self.completion.parsed
        if parsed is None and not _takes_none(self.expects):
            raise OutputMissingError(self.agent, self._reason())
        return cast("T_co", parsed)

    @property
    def text(self) -> str:
        """The answer's text, whatever the output type."""
        return self.completion.text

    @property
    def usage(self) -> Usage:
        """Tokens of every model call behind the answer."""
        return self.completion.usage

    @property
    def trajectory(self) -> tuple[Step, ...]:
        """Every model call behind the answer, in order; never empty."""
        return self.completion.steps or (self._only_step(),)

    def _only_step(self) -> Step:
        completion = self.completion
        return Step(
            messages=self.messages[:-1],
            message=completion.message,
            finish_reason=completion.finish_reason,
            usage=completion.usage,
            model=completion.model,
            id=completion.id,
            tokens=completion.tokens,
        )

    def _reason(self) -> str:
        calls = self.completion.message.tool_calls
        if calls:
            return (
                f"the model wants {', '.join(call.name for call in calls)} called first; call it "
                "and go on with the ToolMessage, or give the tool a function"
            )
        return (
            f"the completion of {self.completion.model or 'the backend'} was never parsed as "
            f"{self.expects!r}; put the StructuredOutput middleware into the stack "
            "(default_stack has it)"
        )

    def __repr__(self) -> str:
        shown = self.text if len(self.text) <= 80 else self.text[:79] + "…"
        return f"<Answer of {self.agent} {shown!r}, {self.usage.total} tokens>"


def _takes_none(expected: Any) -> bool:
    from pydantic import TypeAdapter, ValidationError  # noqa: PLC0415 - dear, and rarely needed

    try:
        TypeAdapter[Any](expected).validate_python(None)
    except ValidationError:
        return False
    return True
