"""Playing an environment: order, forfeits, ends, mistakes."""

from collections.abc import Mapping
from typing import Literal

import anyio
import pytest

from callboard.agents.play import play
from callboard.ambient.deadline import time_left
from callboard.backends.errors import OverloadedError

pytestmark = pytest.mark.anyio

Hand = Literal["rock", "paper", "scissors"]
BEATS = {"rock": "scissors", "paper": "rock", "scissors": "paper"}


class RockPaperScissors:
    """A simultaneous world of two: each sees the other's last hand; who forfeits, loses."""

    players = ("ann", "bob")

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def reset(self, seed: int) -> None:
        self.played = 0
        self.last: Mapping[str, Hand] = {}

    def observe(self) -> Mapping[str, Hand | None]:
        if self.played == self.rounds:
            return {}
        return {"ann": self.last.get("bob"), "bob": self.last.get("ann")}

    def step(self, actions: Mapping[str, Hand]) -> Mapping[str, float]:
        self.played += 1
        self.last = actions
        ann, bob = actions.get("ann"), actions.get("bob")
        if ann == bob:
            return {}
        won = bob is None or (ann is not None and BEATS[ann] == bob)
        return {"ann": 1.0 if won else -1.0, "bob": -1.0 if won else 1.0}


def always(hand):
    async def player(_):
        return hand

    return player


async def failing(_):
    raise OverloadedError("the server is busy; try again later")


async def test_a_simultaneous_game_is_played_to_its_end():
    """Two rounds of two turns each, with the rewards of both players."""
    players = {"ann": always("rock"), "bob": always("scissors")}
    episode = await play(RockPaperScissors(2), players, seed=5)
    assert (episode.status, episode.seed) == ("completed", 5)
    assert [(turn.step, turn.player, turn.action) for turn in episode.turns] == [
        (0, "ann", "rock"),
        (0, "bob", "scissors"),
        (1, "ann", "rock"),
        (1, "bob", "scissors"),
    ]
    assert [turn.reward for turn in episode.turns] == [1, -1, 1, -1]
    assert [turn.observation for turn in episode.turns] == [None, None, "scissors", "rock"]
    assert episode.rewards == {"ann": 2, "bob": -2}


async def test_players_who_act_at_once_are_asked_together_and_recorded_in_order():
    """Ann waits for bob, and still stands first in the record."""
    bob_acted = anyio.Event()

    async def ann(_):
        await bob_acted.wait()
        return "rock"

    async def bob(_):
        bob_acted.set()
        return "paper"

    episode = await play(RockPaperScissors(1), {"ann": ann, "bob": bob})
    assert [turn.player for turn in episode.turns] == ["ann", "bob"]


async def test_a_failed_model_call_forfeits_the_turn():
    """The sibling plays on, and the reason is in the turn."""
    episode = await play(RockPaperScissors(1), {"ann": failing, "bob": always("rock")})
    assert episode.rewards == {"ann": -1, "bob": 1}
    (forfeit,) = episode.forfeits
    assert (forfeit.player, forfeit.action) == ("ann", None)
    assert isinstance(forfeit.error, OverloadedError)


async def test_a_mistake_comes_out_as_itself_and_cancels_the_others():
    """A KeyError of one player is no forfeit, no group, and nobody is waited for."""
    cancelled = []

    async def ann(_):
        raise KeyError("ann")

    async def bob(_):
        try:
            await anyio.sleep_forever()
        finally:
            cancelled.append("bob")

    with pytest.raises(KeyError, match="ann"):
        await play(RockPaperScissors(1), {"ann": ann, "bob": bob})
    assert cancelled == ["bob"]


async def test_patience_runs_out_after_failures_in_a_row():
    """An episode whose players all fail is given up, with what it had."""
    players = {"ann": failing, "bob": failing}
    episode = await play(RockPaperScissors(100), players, patience=5)
    assert episode.status == "aborted"
    assert len(episode.turns) == 6


async def test_success_renews_patience():
    """Only failures in a row count."""
    players = {"ann": failing, "bob": always("rock")}
    episode = await play(RockPaperScissors(10), players, patience=2)
    assert episode.status == "completed"


async def test_the_step_limit_truncates():
    """An episode may be cut off from outside."""
    players = {"ann": always("rock"), "bob": always("rock")}
    episode = await play(RockPaperScissors(10), players, max_steps=3)
    assert (episode.status, len(episode.turns)) == ("truncated", 6)


async def test_the_deadline_ends_the_episode_and_reaches_the_players():
    """A player that never answers is cancelled, and the turns before it are kept."""
    seen = []

    async def stuck(_):
        seen.append(time_left())
        if len(seen) == 2:
            await anyio.sleep_forever()
        return "rock"

    game = RockPaperScissors(10)
    episode = await play(game, {"ann": stuck, "bob": always("paper")}, timeout=0.05)
    assert episode.status == "timeout"
    assert len(episode.turns) == 2 * max(0, len(seen) - 1)
    assert all(left < 1 for left in seen)


async def test_every_step_is_watched_before_the_next_one_begins():
    """The watcher sees the turns of one step, after the world has moved on."""
    game = RockPaperScissors(2)
    seen = []

    async def watch(turns):
        seen.append((game.played, [turn.player for turn in turns]))

    await play(game, {"ann": always("rock"), "bob": always("rock")}, on_step=watch)
    assert seen == [(1, ["ann", "bob"]), (2, ["ann", "bob"])]


async def test_a_missing_player_is_named():
    """Nobody is asked before everybody is there."""
    with pytest.raises(ValueError, match="nobody plays bob"):
        await play(RockPaperScissors(1), {"ann": always("rock")})
