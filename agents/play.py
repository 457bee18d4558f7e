"""Plays an environment: asks the players, steps the world, keeps the record."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

import anyio

from callboard.agents.environment import Environment, Player
from callboard.agents.episode import Episode, EpisodeStatus, Turn
from callboard.ambient.deadline import bounded_deadline, deadline_scope
from callboard.backends.errors import BackendError

O = TypeVar("O")  # noqa: E741 - the usual letter for an observation
A = TypeVar("A")

StepWatcher: TypeAlias = Callable[[Sequence[Turn[O, A]]], Awaitable[None]]
"""Called after each step with its turns; the world has already moved on."""

FORFEITS: tuple[type[Exception], ...] = (BackendError, TimeoutError)
"""What may happen to anyone who asks a model: such a player forfeits the turn. Everything else is
a mistake in the program, and is raised."""


async def play(
    environment: Environment[O, A],
    players: Mapping[str, Player[O, A]],
    *,
    seed: int = 0,
    timeout: float | None = None,
    max_steps: int | None = None,
    patience: int | None = None,
    forfeits: tuple[type[Exception], ...] = FORFEITS,
    on_step: StepWatcher[O, A] | None = None,
) -> Episode[O, A]:
    """Play an environment from its start to its end.

    The record depends on the seed and on what the players do, never on who answers first: players
    who act at once are asked concurrently, and their turns are kept in the environment's order.
    Cancelling the play cancels the players that are being asked. An episode that ends early (see
    `EpisodeStatus`) is returned like any other, with the turns that it had.

    Args:
        environment: The rules; it is reset first.
        players: Who acts under which name. An actor's `ref.ask` will do.
        seed: Handed to `reset`.
        timeout: Seconds for the whole episode; asks and model calls inside are clamped to it.
        max_steps: The episode is truncated after this many steps.
        patience: The episode is aborted after this many forfeited turns in a row.
        forfeits: Exceptions that cost a player the turn.
        on_step: Called after each step, before the next one begins.

    Raises:
        ValueError: If a player is missing, or an action is against the rules.
        Exception: Whatever a player raises that is no forfeit, as itself.
    """
    _check_players(environment, players)
    environment.reset(seed)
    record = _Record[O, A](patience=patience)
    deadline = bounded_deadline(timeout)
    status: EpisodeStatus = "timeout"
    with anyio.CancelScope(deadline=deadline), deadline_scope(deadline):
        status = await _play(environment, _Table(players, forfeits), record, max_steps, on_step)
    return record.episode(seed, status)


def _check_players(environment: Environment[O, A], players: Mapping[str, Player[O, A]]) -> None:
    missing = [name for name in environment.players if name not in players]
    if missing:
        raise ValueError(f"nobody plays {', '.join(missing)}; the environment needs every player")


async def _play(
    environment: Environment[O, A],
    table: "_Table[O, A]",
    record: "_Record[O, A]",
    max_steps: int | None,
    on_step: StepWatcher[O, A] | None,
) -> EpisodeStatus:
    limit = math.inf if max_steps is None else max_steps
    while observations := environment.observe():
        if record.steps >= limit:
            return "truncated"
        outcome = await table.ask(observations)
        rewards = environment.step(outcome.actions)
        turns = record.add(observations, outcome, rewards)
        if on_step is not None:
            await on_step(turns)
        if record.exhausted:
            return "aborted"
    return "completed"


@dataclass(slots=True)
class _Outcome(Generic[A]):
    """What the players of one step did, or why they did not; in the order of their answers."""

    actions: dict[str, A] = field(default_factory=dict[str, A])
    errors: dict[str, Exception] = field(default_factory=dict[str, Exception])


@dataclass(slots=True)
class _Table(Generic[O, A]):
    """The players, and what may befall them."""

    players: Mapping[str, Player[O, A]]
    forfeits: tuple[type[Exception], ...]

    async def ask(self, observations: Mapping[str, O]) -> _Outcome[A]:
        outcome = _Outcome[A]()
        if len(observations) == 1:
            for name, seen in observations.items():
                await self._act(name, seen, outcome)
        else:
            await self._ask_together(observations, outcome)
        return outcome

    async def _ask_together(self, observations: Mapping[str, O], outcome: _Outcome[A]) -> None:
        mistakes: list[Exception] = []

        async def act(name: str, seen: O) -> None:
            try:
                await self._act(name, seen, outcome)
            except Exception as mistake:  # noqa: BLE001 - raised below, as itself
                mistakes.append(mistake)
                group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            for name, seen in observations.items():
                group.start_soon(act, name, seen)
        if mistakes:
            raise mistakes[0]

    async def _act(self, name: str, seen: O, outcome: _Outcome[A]) -> None:
        try:
            outcome.actions[name] = await self.players[name](seen)
        except self.forfeits as error:
            outcome.errors[name] = error


@dataclass(slots=True)
class _Record(Generic[O, A]):
    """What has happened so far."""

    patience: int | None
    turns: list[Turn[O, A]] = field(default_factory=list[Turn[O, A]])
    rewards: dict[str, float] = field(default_factory=dict[str, float])
    steps: int = 0
    forfeits_in_a_row: int = 0

    @property
    def exhausted(self) -> bool:
        return self.patience is not None and self.forfeits_in_a_row >= self.patience

    def add(
        self, observations: Mapping[str, O], outcome: _Outcome[A], rewards: Mapping[str, float]
    ) -> list[Turn[O, A]]:
        turns = [
            Turn(
                step=self.steps,
                player=name,
                observation=seen,
                action=outcome.actions.get(name),
                reward=rewards.get(name, 0.0),
                error=outcome.errors.get(name),
            )
            for name, seen in observations.items()
        ]
        for turn in turns:
            self.forfeits_in_a_row = 0 if turn.error is None else self.forfeits_in_a_row + 1
        for name, reward in rewards.items():
            self.rewards[name] = self.rewards.get(name, 0.0) + reward
        self.turns += turns
        self.steps += 1
        return turns

    def episode(self, seed: int, status: EpisodeStatus) -> Episode[O, A]:
        return Episode(
            seed=seed, status=status, turns=tuple(self.turns), rewards=dict(self.rewards)
        )
