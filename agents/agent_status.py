"""AgentStatus: what an agent is busy with."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentStatus:
    """What an agent is busy with, at one moment."""

    agent: str
    """Who it is."""
    prompts: int
    """Prompts under way or waiting, those without a conversation included."""
    busy: Mapping[str, int]
    """The conversations that are answered just now, and how many prompts each has in all."""
    conversations: int
    """How many conversations it holds."""
