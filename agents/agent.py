"""Agent: who answers, with which backend, instructions, tools and output type."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, overload

from typing_extensions import TypeForm, TypeVar, Unpack

from callboard.agents.answer import Answer
from callboard.agents.answer_stream import AnswerStream
from callboard.agents.asking import Asking
from callboard.agents.conversation import Conversation
from callboard.agents.run_options import RunOptions
from callboard.agents.sync_portal import run_in_portal
from callboard.backends.backend import Backend
from callboard.backends.delta import Sink
from callboard.backends.message_reading import to_messages
from callboard.backends.messages import ChatMessage, MessageLike, SystemMessage
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.stack import Stack
from callboard.backends.tool import Tool, to_tool

T_co = TypeVar("T_co", covariant=True, default=str)
U = TypeVar("U")


# Without slots: Python 3.11 can't call `Agent[Verdict](...)` on a frozen, slotted dataclass.
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Agent(Generic[T_co]):
    """Who answers: an immutable description, safe to share between tasks and conversations.

    `run` keeps nothing between calls, unless it is given a conversation. Tools, structured output,
    retries and timeouts are the backend's middleware: a plain backend is wrapped in
    `default_stack`, a `Stack` is taken as it is. Build the stack yourself and hand it to several
    agents where they shall share its limits.

    Generic in its output: `Agent("critic", backend=b, output=Verdict)` is an `Agent[Verdict]`, an
    agent without output type is an `Agent[str]` and answers in text.
    """

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
        self: "Agent[str]",
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
            TypeError: If a function can't be described as a tool.
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
        put(self, "output", output)
        put(self, "sampling", SamplingParams() if sampling is None else sampling)
        put(self, "timeout", timeout)
        put(self, "metadata", MappingProxyType(dict(metadata or {})))

    @overload
    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: None = None,
        **options: Unpack[RunOptions],
    ) -> Answer[T_co]: ...

    @overload
    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: TypeForm[U],
        **options: Unpack[RunOptions],
    ) -> Answer[U]: ...

    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: Any = None,
        **options: Unpack[RunOptions],
    ) -> Answer[Any]:
        """Answer one prompt.

        A run that fails or is cancelled leaves nothing running, and its conversation as it was.

        Args:
            prompt: Messages, plain strings (the user's words) or OpenAI-style dicts.
            output: The type of this answer, instead of the agent's own.
            options: `conversation`, `tools`, `sampling`, `metadata`, `timeout`; see `RunOptions`.

        Raises:
            BackendError: The model call failed; its subclasses say how.
            ConversationBusyError: If the conversation has a turn under way.
            ValueError: If a message can't be read.
        """
        return await self.watched_run(prompt, None, output=output, **options)

    async def watched_run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        sink: Sink | None,
        *,
        output: Any = None,
        **options: Unpack[RunOptions],
    ) -> Answer[Any]:
        """Answer one prompt like `run`, and hand the pieces to a sink as they arrive.

        Args:
            prompt: Messages, plain strings or OpenAI-style dicts.
            sink: Receives the deltas; None means that nobody wants to watch.
            output: The type of this answer, instead of the agent's own.
            options: As for `run`.

        Raises:
            BackendError: The model call failed; its subclasses say how.
            ConversationBusyError: If the conversation has a turn under way.
            ValueError: If a message can't be read.
        """
        with _held(options.get("conversation")):
            asking = self._asking(prompt, output, **options)
            return asking.conclude(await self.backend.generate(asking.request, sink))

    @overload
    def stream(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: None = None,
        **options: Unpack[RunOptions],
    ) -> AnswerStream[T_co]: ...

    @overload
    def stream(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: TypeForm[U],
        **options: Unpack[RunOptions],
    ) -> AnswerStream[U]: ...

    def stream(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: Any = None,
        **options: Unpack[RunOptions],
    ) -> AnswerStream[Any]:
        """Open one run for reading piece by piece; see `AnswerStream`.

        Args:
            prompt: Messages, plain strings or OpenAI-style dicts.
            output: The type of this answer, instead of the agent's own.
            options: As for `run`.
        """
        prepare = partial(self._asking, prompt, output, **options)
        return AnswerStream(self.backend, prepare, options.get("conversation"))

    @overload
    def run_sync(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: None = None,
        **options: Unpack[RunOptions],
    ) -> Answer[T_co]: ...

    @overload
    def run_sync(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: TypeForm[U],
        **options: Unpack[RunOptions],
    ) -> Answer[U]: ...

    def run_sync(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: Any = None,
        **options: Unpack[RunOptions],
    ) -> Answer[Any]:
        """Answer one prompt from code that is not async: a script, or a notebook's cell.

        Works where a loop is running already, since it has a thread and a loop of its own; that
        running loop stands still meanwhile, so inside async code await `run` instead. Context
        variables and the time left cross over. Ctrl-C cancels the call.

        Args:
            prompt: Messages, plain strings or OpenAI-style dicts.
            output: The type of this answer, instead of the agent's own.
            options: As for `run`.

        Raises:
            BackendError: The model call failed; its subclasses say how.
            ConversationBusyError: If the conversation has a turn under way.
            ValueError: If a message can't be read.
        """
        return run_in_portal(partial(self.run, prompt, output=output, **options))

    def replaced(self, **changes: Any) -> "Agent[Any]":
        """Return an agent that differs in these fields and shares the backend.

        Args:
            changes: Arguments of the constructor.

        Raises:
            TypeError: If the constructor has no such argument.
        """
        same = {name: getattr(self, name) for name in _FIELDS}
        return Agent(**{**same, **changes})

    async def aclose(self) -> None:
        """Close the backend, for every agent that shares it; closing twice is fine."""
        await self.backend.aclose()

    def _asking(
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
        return _rebuild, (
            {name: getattr(self, name) for name in _FIELDS} | {"metadata": dict(self.metadata)},
        )

    def __repr__(self) -> str:
        output = "text" if self.output is None else getattr(self.output, "__name__", self.output)
        return f"<Agent {self.name} answering {output} on {self.backend!r}>"


_FIELDS = (
    "name", "backend", "instructions", "tools", "output", "sampling", "timeout", "metadata",
)  # fmt: skip


def _rebuild(fields: Mapping[str, Any]) -> Agent[Any]:
    return Agent(**fields)


def _dressed(backend: Backend) -> Stack:
    # Tracing and logging are dear to import, and whoever brings a stack may need neither.
    from callboard.backends.default_stack import default_stack  # noqa: PLC0415 - see above

    return default_stack(backend)


def _held(conversation: Conversation | None) -> AbstractContextManager[None]:
    return nullcontext() if conversation is None else conversation.turn()
