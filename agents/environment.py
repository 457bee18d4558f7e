"""Environment: a world that players act in, turn by turn or all at once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol, TypeAlias, TypeVar

Observation = TypeVar("Observation")
Action = TypeVar("Action")
Observation_co = TypeVar("Observation_co", covariant=True)
Action_contra = TypeVar("Action_contra", contravariant=True)

Player: TypeAlias = Callable[[Observation], Awaitable[Action]]
"""Acts on an observation. Where observations are messages, `ref.ask` of an actor is a player."""


class Environment(Protocol[Observation_co, Action_contra]):
    """The rules of a world: synchronous, without I/O, and decided by the seed alone.

    `play` does all the waiting: it asks whoever is named by `observe` (one player in a turn-based
    world, several in a simultaneous one) and hands what they did to `step`, again and again until
    `observe` names nobody.
    """

    @property
    def players(self) -> tuple[str, ...]:
        """Everyone who may ever act."""
        ...

    def reset(self, seed: int) -> None:
        """Start over. The same seed and the same actions give the same course of events."""
        ...

    def observe(self) -> Mapping[str, Observation_co]:
        """Return what each player sees whose turn it is; empty when the episode is over.

        Looking changes nothing: two calls in a row return the same.
        """
        ...

    def step(self, actions: Mapping[str, Action_contra]) -> Mapping[str, float]:
        """Go on by one step.

        Args:
            actions: What the observed players did, by name. A player who failed to act has
                forfeited the turn and is missing; the rules say what that means.

        Returns:
            The rewards earned by this step, by name, also of players who did not act. Whoever is
            missing earned nothing.

        Raises:
            ValueError: If an action is against the rules.
        """
        ...
