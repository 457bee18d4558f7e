"""Agent: who answers, with which backend, instructions, tools and output type."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, overload

from typing_extensions import TypeForm, TypeVar, Unpack

from callboard.agents.agent_actor import AgentActor
from callboard.agents.agent_description import FIELDS, AgentDescription
from callboard.agents.agent_ref import AgentRef
from callboard.agents.answer import Answer
from callboard.agents.answer_stream import AnswerStream
from callboard.agents.conversation import Conversation
from callboard.agents.conversation_store import ConversationStore
from callboard.agents.run_options import RunOptions
from callboard.agents.sync_portal import run_in_portal
from callboard.backends.messages import MessageLike
from callboard.runtime.context import Context
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.supervision import Restart, Supervision
from callboard.runtime.system import Runtime

T_co = TypeVar("T_co", covariant=True, default=str)
U = TypeVar("U")

ROOM_FOR_CONTROL = 64
"""Places in an agent's mailbox that prompts never take: an Interrupt always gets in."""


class Agent(AgentDescription[T_co]):
    """Who answers: an immutable description, safe to share between tasks and conversations.

    `run` keeps nothing between calls, unless it is given a conversation. Tools, structured output,
    retries and timeouts are the backend's middleware: a plain backend is wrapped in
    `default_stack`, a `Stack` is taken as it is. Build the stack yourself and hand it to several
    agents where they shall share its limits.

    Generic in its output: `Agent("critic", backend=b, output=Verdict)` is an `Agent[Verdict]`, an
    agent without output type is an `Agent[str]` and answers in text.
    """

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
        with _held(options.get("conversation")):
            asking = self.asking(prompt, output, **options)
            return asking.conclude(await self.backend.generate(asking.request))

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
        prepare = partial(self.asking, prompt, output, **options)
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

    async def spawn(
        self,
        runtime: Runtime | Context,
        *,
        name: str | None = None,
        max_prompts: int = 1024,
        max_conversations: int = 10_000,
        window: int | None = None,
        restart: Restart = "permanent",
        supervision: Supervision | None = None,
    ) -> AgentRef[T_co]:
        """Start the agent as an actor, which holds conversations of its own; see `AgentActor`.

        Args:
            runtime: Where it lives; an actor's `context` makes it that actor's child.
            name: Unique among living siblings; None for a fresh one after the agent. The actor's
                address is the `caller` of its requests.
            max_prompts: Prompts that may be under way or wait; more are refused.
            max_conversations: Conversations that it holds; a further one is refused.
            window: How many of its last exchanges a conversation shows the model; None for all.
            restart: What a failure means that is neither the backend's nor the agent's; a restart
                keeps the conversations.
            supervision: How such failures are met; None for the runtime's.

        Raises:
            NameTakenError: A living sibling has the name.
            ActorStoppedError: The runtime is ending.
        """
        conversations = ConversationStore(self.name, limit=max_conversations, window=window)

        def embody() -> AgentActor:
            return AgentActor(self, conversations, max_prompts)

        embody.__name__ = self.name.replace("/", "-")  # Fresh names are made from it.
        ref = await runtime.spawn(
            embody,
            name=name,
            mailbox=MailboxOptions(capacity=max_prompts + ROOM_FOR_CONTROL),
            restart=restart,
            supervision=supervision,
        )
        return AgentRef.of(ref)

    def replaced(self, **changes: Any) -> "Agent[Any]":
        """Return an agent that differs in these fields and shares the backend.

        Args:
            changes: Arguments of the constructor.

        Raises:
            TypeError: If the constructor has no such argument.
        """
        same = {name: getattr(self, name) for name in FIELDS}
        return Agent(**{**same, **changes})

    async def aclose(self) -> None:
        """Close the backend, for every agent that shares it; closing twice is fine."""
        await self.backend.aclose()


def _held(conversation: Conversation | None) -> AbstractContextManager[None]:
    return nullcontext() if conversation is None else conversation.turn()
