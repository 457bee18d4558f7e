"""callboard.agents: agents that call models, alone and as actors, and what is built of them.

Names are imported when they are first used: the command line answers `--version` without loading
a model client.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callboard.agents.agent import Agent
    from callboard.agents.agent_actor import AgentActor
    from callboard.agents.agent_ref import AgentRef
    from callboard.agents.agent_status import AgentStatus
    from callboard.agents.answer import Answer
    from callboard.agents.answer_stream import AnswerStream
    from callboard.agents.control import Forget, GetConversation, GetStatus, Interrupt
    from callboard.agents.conversation import Conversation
    from callboard.agents.errors import (
        AgentBusyError,
        AgentError,
        AgentInterruptedError,
        ConversationBusyError,
        ConversationLimitError,
        ConversationUnknownError,
        OutputMissingError,
        ToolResultsMissingError,
    )
    from callboard.agents.prompt import Prompt
    from callboard.agents.run_options import RunOptions

__all__ = [
    "Agent",
    "AgentActor",
    "AgentBusyError",
    "AgentError",
    "AgentInterruptedError",
    "AgentRef",
    "AgentStatus",
    "Answer",
    "AnswerStream",
    "Conversation",
    "ConversationBusyError",
    "ConversationLimitError",
    "ConversationUnknownError",
    "Forget",
    "GetConversation",
    "GetStatus",
    "Interrupt",
    "OutputMissingError",
    "Prompt",
    "RunOptions",
    "ToolResultsMissingError",
]

_HOMES = {
    "Agent": "agent",
    "AgentActor": "agent_actor",
    "AgentBusyError": "errors",
    "AgentError": "errors",
    "AgentInterruptedError": "errors",
    "AgentRef": "agent_ref",
    "AgentStatus": "agent_status",
    "Answer": "answer",
    "AnswerStream": "answer_stream",
    "Conversation": "conversation",
    "ConversationBusyError": "errors",
    "ConversationLimitError": "errors",
    "ConversationUnknownError": "errors",
    "Forget": "control",
    "GetConversation": "control",
    "GetStatus": "control",
    "Interrupt": "control",
    "OutputMissingError": "errors",
    "Prompt": "prompt",
    "RunOptions": "run_options",
    "ToolResultsMissingError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
