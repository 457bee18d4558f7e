"""callboard.agents: agents that call models, alone and as actors, and what is built of them.

Names are imported when they are first used: the command line answers `--version` without loading
a model client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callboard.agents.agent import Agent
    from callboard.agents.answer import Answer
    from callboard.agents.answer_stream import AnswerStream
    from callboard.agents.conversation import Conversation
    from callboard.agents.errors import (
        AgentBusyError,
        AgentError,
        AgentInterruptedError,
        ConversationBusyError,
        ConversationLimitError,
        OutputMissingError,
    )
    from callboard.agents.run_options import RunOptions

__all__ = [
    "Agent",
    "AgentBusyError",
    "AgentError",
    "AgentInterruptedError",
    "Answer",
    "AnswerStream",
    "Conversation",
    "ConversationBusyError",
    "ConversationLimitError",
    "OutputMissingError",
    "RunOptions",
]

_HOMES = {
    "Agent": "agent",
    "AgentBusyError": "errors",
    "AgentError": "errors",
    "AgentInterruptedError": "errors",
    "Answer": "answer",
    "AnswerStream": "answer_stream",
    "Conversation": "conversation",
    "ConversationBusyError": "errors",
    "ConversationLimitError": "errors",
    "OutputMissingError": "errors",
    "RunOptions": "run_options",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
