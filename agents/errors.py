"""What can go wrong with an agent, apart from its model calls, which raise `BackendError`.

AgentError
├── OutputMissingError            the completion holds no output of the agent's type
├── ConversationBusyError         the conversation has a turn under way
├── ConversationUnknownError      the actor holds no conversation of that id; also a LookupError
├── ToolResultsMissingError       the prompt lacks the results of tool calls; also a ValueError
├── ConversationLimitError        the actor holds as many conversations as it may
├── AgentBusyError                too many prompts wait for this actor
└── AgentInterruptedError         an Interrupt ended the prompt
"""

from collections.abc import Mapping


class AgentError(Exception):
    """The base of an agent's own errors; a failed model call is a `BackendError` instead."""

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process boundaries with their fields."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[AgentError], args: tuple[object, ...], fields: Mapping[str, object]
) -> AgentError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(fields)
    return error


class OutputMissingError(AgentError):
    """The completion holds no output of the type that was asked for."""

    def __init__(self, agent: str, reason: str) -> None:
        super().__init__(f"agent {agent!r} has no output to give: {reason}")
        self.agent = agent
        """The agent's name."""


class ConversationBusyError(AgentError):
    """The conversation has a turn under way; one history can't grow in two directions."""

    def __init__(self, conversation: str) -> None:
        super().__init__(
            f"conversation {conversation!r} has a turn under way: await it first, talk to a "
            "fork() of the conversation, or spawn the agent, whose actor queues its prompts"
        )
        self.conversation = conversation
        """The conversation's id."""


class ConversationUnknownError(AgentError, LookupError):
    """The agent holds no conversation of that id."""

    def __init__(self, agent: str, conversation: str) -> None:
        super().__init__(
            f"agent {agent!r} holds no conversation {conversation!r}: one begins with the first "
            "prompt that names it, and ends when it is forgotten"
        )
        self.agent = agent
        """The agent's name."""
        self.conversation = conversation
        """The conversation's id."""


class ToolResultsMissingError(AgentError, ValueError):
    """The conversation waits for the results of tool calls, and the prompt does not bring them."""

    def __init__(self, conversation: str, calls: tuple[str, ...]) -> None:
        super().__init__(
            f"conversation {conversation!r} waits for the results of the tool calls "
            f"{', '.join(calls)}: begin the prompt with a ToolMessage for each"
        )
        self.conversation = conversation
        """The conversation's id."""
        self.calls = calls
        """Ids of the calls without a result."""


class ConversationLimitError(AgentError):
    """The actor holds as many conversations as it may."""

    def __init__(self, agent: str, limit: int) -> None:
        super().__init__(
            f"agent {agent!r} already holds {limit} conversations: end some with "
            "`ref.forget(id)`, or spawn it with a higher max_conversations"
        )
        self.agent = agent
        """The agent's name."""
        self.limit = limit
        """How many conversations it may hold."""


class AgentBusyError(AgentError):
    """Too many prompts wait for this actor already; nothing was sent to the model."""

    def __init__(self, agent: str, limit: int) -> None:
        super().__init__(
            f"agent {agent!r} already has {limit} prompts under way or waiting: try again later, "
            "spawn more of them, or spawn it with a higher max_prompts"
        )
        self.agent = agent
        """The agent's name."""
        self.limit = limit
        """How many prompts may be under way or wait."""


class AgentInterruptedError(AgentError):
    """An Interrupt ended the prompt; its conversation is as it was before."""

    def __init__(self, agent: str, conversation: str | None) -> None:
        where = "" if conversation is None else f" in conversation {conversation!r}"
        super().__init__(f"agent {agent!r} was interrupted{where}; the prompt may be sent again")
        self.agent = agent
        """The agent's name."""
        self.conversation = conversation
        """The conversation's id, None for a prompt without one."""
