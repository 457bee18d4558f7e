"""callboard.agents: agents that call models, alone and as actors, and what is built of them.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

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

lazy_face(
    __name__,
    {
        "callboard.agents.agent": ["Agent"],
        "callboard.agents.agent_actor": ["AgentActor"],
        "callboard.agents.agent_ref": ["AgentRef"],
        "callboard.agents.agent_status": ["AgentStatus"],
        "callboard.agents.answer": ["Answer"],
        "callboard.agents.answer_stream": ["AnswerStream"],
        "callboard.agents.control": ["Forget", "GetConversation", "GetStatus", "Interrupt"],
        "callboard.agents.conversation": ["Conversation"],
        "callboard.agents.environment": ["Environment"],
        "callboard.agents.episode": ["Episode"],
        "callboard.agents.errors": [
            "AgentBusyError",
            "AgentError",
            "AgentInterruptedError",
            "ConversationBusyError",
            "ConversationLimitError",
            "ConversationUnknownError",
            "OutputMissingError",
            "ToolResultsMissingError",
        ],
        "callboard.agents.play": ["play"],
        "callboard.agents.prompt": ["Prompt"],
        "callboard.agents.run_options": ["RunOptions"],
        "callboard.backends.tool": ["tool"],
    },
)
