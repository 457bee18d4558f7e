"""AgentDescription: what an agent is, and what its model is sent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Generic, overload

from typing_extensions import TypeForm, TypeVar

from callboard.agents.asking import Asking
from callboard.agents.conversation import Conversation
from callboard.backends.backend import Backend
from callboard.backends.message_reading import to_messages
from callboard.backends.messages import ChatMessage, MessageLike, SystemMessage
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.stack import Stack
from callboard.backends.tool import Tool, to_tool

T_co = TypeVar("T_co", covariant=True, default=str)


# Without slots: Python 3.11 can't call `Agent[Verdict](...)` on a frozen, slotted dataclass.
@dataclass(frozen=True, init=False, eq=False, repr=False)
class AgentDescription(Generic[T_co]):
    """What an agent is: an immutable value, generic in the type of its output."""

    name: str
    """Who it is, in traces and errors; the `caller` of its requests."""
    backend: Stack
    """What answers in the end, middleware included."""
    instructions: str | None
    """The system message above every run; it is no part of a conversation."""
    tools: tuple[Tool, ...]
    """What the model may call."""
    output: Any
    """The type that answers have; None for text."""
    sampling: SamplingParams
    """How answers are drawn."""
    timeout: float | None
    """Seconds for a whole run; None leaves the ambient deadline."""
    metadata: Mapping[str, Any]
    """Notes for the traces of every run; never sent."""

    @overload
    def __init__(
        self: "AgentDescription[str]",
        name: str,
        *,
        backend: Backend,
        instructions: str | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        output: None = None,
        sampling: SamplingParams | None = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        name: str,
        *,
        backend: Backend,
        instructions: str | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        output: TypeForm[T_co],
        sampling: SamplingParams | None = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None: ...

    def __init__(
        self,
        name: str,
        *,
        backend: Backend,
        instructions: str | None = None,
        tools: Iterable[Tool | Callable[..., Any]] = (),
        output: Any = None,
        sampling: SamplingParams | None = None,
        timeout: float | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe an agent.

        Args:
            name: Who it is.
            backend: What answers; wrapped in `default_stack` unless it is a `Stack` already.
            instructions: The system message above every run.
            tools: Tools, or functions whose signature and docstring describe them.
            output: A pydantic model, dataclass, `int | None`, `Literal[...]`, ...
            sampling: Temperature and the like.
            timeout: Seconds for a whole run, tools and retries included.
            metadata: Notes for the traces; never sent.

        Raises:
            ValueError: If the name is empty, or the timeout is negative or no number.
            TypeError: If a function can't be described as a tool, the backend is none, or answers
                can't have the output type.
        """
        if not name:
            raise ValueError("an agent needs a name: it stands in traces, errors and addresses")
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
        put = object.__setattr__
        put(self, "name", name)
        put(self, "backend", backend if isinstance(backend, Stack) else _dressed(backend))
        put(self, "instructions", instructions)
        put(self, "tools", tuple(map(to_tool, tools)))
        put(self, "output", _answerable(output))
        put(self, "sampling", SamplingParams() if sampling is None else sampling)
        put(self, "timeout", timeout)
        put(self, "metadata", MappingProxyType(dict(metadata or {})))

    def asking(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        output: Any,
        *,
        conversation: Conversation | None = None,
        tools: Iterable[Tool | Callable[..., Any]] | None = None,
        sampling: SamplingParams | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Asking:
        """Make of a prompt what the model is sent.

        Args:
            prompt: Messages, plain strings (the user's words) or OpenAI-style dicts.
            output: The type of this answer; None takes the agent's own.
            conversation: Goes before the prompt, and takes the turn up afterwards.
            tools: Instead of the agent's own.
            sampling: Over the agent's own, field by field.
            metadata: Notes for the traces, over the agent's own.
            timeout: Seconds for the whole run, instead of the agent's own.

        Raises:
            ValueError: If there is nothing in the prompt, or a message can't be read.
            ToolResultsMissingError: If the conversation waits for results that the prompt lacks.
        """
        said = to_messages(prompt)
        if not said:
            raise ValueError("the prompt is empty: say something, or pass at least one message")
        notes = {"caller": self.name, **self.metadata}
        if conversation is not None:
            notes["conversation"] = conversation.id
        request: Request[Any] = Request(
            (
                *self._instructions(),
                *(said if conversation is None else conversation.context(said)),
            ),
            tools=self.tools if tools is None else tools,
            output=self.output if output is None else output,
            sampling=self.sampling.merged(sampling),
            metadata={**notes, **(metadata or {})},
            timeout=self.timeout if timeout is None else timeout,
        )
        return Asking(agent=self.name, request=request, said=said, conversation=conversation)

    def _instructions(self) -> tuple[ChatMessage, ...]:
        return (SystemMessage(self.instructions),) if self.instructions else ()

    def __reduce__(self) -> tuple[object, ...]:
        fields = {name: getattr(self, name) for name in FIELDS}
        return _rebuild, (type(self), {**fields, "metadata": dict(self.metadata)})

    def __repr__(self) -> str:
        output = "text" if self.output is None else getattr(self.output, "__name__", self.output)
        return f"<{type(self).__name__} {self.name} answering {output} on {self.backend!r}>"


FIELDS = (
    "name", "backend", "instructions", "tools", "output", "sampling", "timeout", "metadata",
)  # fmt: skip
"""Everything that an agent is made of: the constructor's arguments."""


def _rebuild(kind: type[AgentDescription[Any]], fields: Mapping[str, Any]) -> AgentDescription[Any]:
    return kind(**fields)


def _answerable(output: Any) -> Any:
    """Find out now, and not in the middle of a run, whether answers can have this type."""
    if output is not None:
        # It brings in pydantic's schemas, which an agent that answers in text never needs.
        from callboard.backends.output.output_type import output_type  # noqa: PLC0415 - see above

        output_type(output)
    return output


def _dressed(backend: object) -> Stack:
    if isinstance(backend, type) or not isinstance(backend, Backend):
        kind = backend if isinstance(backend, type) else type(backend)
        raise TypeError(
            f"an agent's backend answers requests, which this {kind.__name__} does not: pass an "
            'instance of a backend, such as OpenAIBackend("MODEL") or RandomBackend()'
        )
    # Tracing and logging are dear to import, and whoever brings a stack may need neither.
    from callboard.backends.default_stack import default_stack  # noqa: PLC0415 - see above

    return default_stack(backend)
