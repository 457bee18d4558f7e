"""Episode: one play of an environment from its start to its end, turn by turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

Observation_co = TypeVar("Observation_co", covariant=True)
Action_co = TypeVar("Action_co", covariant=True)

EpisodeStatus = Literal["completed", "truncated", "timeout", "aborted"]
"""How an episode ended: by its own rules, at the step limit, at the deadline, or given up because
its players kept failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn(Generic[Observation_co, Action_co]):
    """What one player saw and did, once."""

    step: int
    """Counted from 0; players who act at once share a step."""
    player: str
    observation: Observation_co
    action: Action_co | None
    """None where the player forfeited."""
    reward: float = 0.0
    """What the player earned in this step."""
    error: Exception | None = None
    """Why the player forfeited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode(Generic[Observation_co, Action_co]):
    """Every turn in order, and what came of it."""

    seed: int
    status: EpisodeStatus
    turns: tuple[Turn[Observation_co, Action_co], ...]
    """In order of steps; within a step in the environment's order, whoever answered first."""
    rewards: Mapping[str, float]
    """What each player earned in all, also while others acted."""

    @property
    def forfeits(self) -> tuple[Turn[Observation_co, Action_co], ...]:
        """The turns in which a player failed to act."""
        return tuple(turn for turn in self.turns if turn.error is not None)
