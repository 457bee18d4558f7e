"""callboard.agents: agents that call models, alone and as actors, and what is built of them.

Names are imported when they are first used: the command line answers `--version` without loading
a model client.
"""

import sys
from importlib import import_module
from types import ModuleType
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
    from callboard.agents.environment import Environment
    from callboard.agents.episode import Episode
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
    from callboard.agents.play import play
    from callboard.agents.prompt import Prompt
    from callboard.agents.run_options import RunOptions
    from callboard.backends.tool import tool

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
    "Environment",
    "Episode",
    "Forget",
    "GetConversation",
    "GetStatus",
    "Interrupt",
    "OutputMissingError",
    "Prompt",
    "RunOptions",
    "ToolResultsMissingError",
    "play",
    "tool",
]

_HOMES = {
    "Agent": "callboard.agents.agent",
    "AgentActor": "callboard.agents.agent_actor",
    "AgentBusyError": "callboard.agents.errors",
    "AgentError": "callboard.agents.errors",
    "AgentInterruptedError": "callboard.agents.errors",
    "AgentRef": "callboard.agents.agent_ref",
    "AgentStatus": "callboard.agents.agent_status",
    "Answer": "callboard.agents.answer",
    "AnswerStream": "callboard.agents.answer_stream",
    "Conversation": "callboard.agents.conversation",
    "ConversationBusyError": "callboard.agents.errors",
    "ConversationLimitError": "callboard.agents.errors",
    "ConversationUnknownError": "callboard.agents.errors",
    "Environment": "callboard.agents.environment",
    "Episode": "callboard.agents.episode",
    "Forget": "callboard.agents.control",
    "GetConversation": "callboard.agents.control",
    "GetStatus": "callboard.agents.control",
    "Interrupt": "callboard.agents.control",
    "OutputMissingError": "callboard.agents.errors",
    "Prompt": "callboard.agents.prompt",
    "RunOptions": "callboard.agents.run_options",
    "ToolResultsMissingError": "callboard.agents.errors",
    "play": "callboard.agents.play",
    "tool": "callboard.backends.tool",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Face(ModuleType):
    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds submodules: `play` would hide the function that it is named after.
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Face
