"""Who runs next: each policy chooses as its description says, and prints as what makes it again."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.runtime.simulation import Choices, Fifo, Pct, Policy, Random, Shuffle
from callboard.runtime.simulation.naming import policy_label, policy_of

POLICIES = (Fifo(), Random(), Shuffle(), Pct(), Pct(depth=1, horizon=5), Choices((3, 0, 1)))


def walk(policy: Policy, seed: int, ready: Sequence[int], count: int) -> list[int]:
    """Return whom a policy chooses when the chosen one goes to the end of the line."""
    chooser, line, chosen = policy.begin(seed), list(ready), list[int]()
    for _ in range(count):
        number = line.pop(chooser.choose(line))
        line.append(number)
        chosen.append(number)
    return chosen


@given(
    policy=st.sampled_from(POLICIES),
    seed=st.integers(0, 1000),
    ready=st.lists(st.integers(1, 99), min_size=2, max_size=9, unique=True),
)
def test_the_same_seed_chooses_the_same(policy: Policy, seed: int, ready: list[int]) -> None:
    """A chooser depends on nothing but its policy and its seed."""
    assert walk(policy, seed, ready, 50) == walk(policy, seed, ready, 50)


@pytest.mark.parametrize("policy", [Random(), Shuffle(), Pct(horizon=30)], ids=repr)
def test_another_seed_chooses_otherwise(policy: Policy) -> None:
    """Control: seeds matter where there is chance."""
    walks = {tuple(walk(policy, seed, range(1, 5), 30)) for seed in range(20)}
    assert len(walks) > 10


def test_fifo_takes_the_first() -> None:
    """In the order in which they became ready."""
    assert walk(Fifo(), 7, [5, 3, 9], 6) == [5, 3, 9, 5, 3, 9]


def test_random_gives_all_the_same_chance() -> None:
    """Nobody is favoured."""
    counts = Counter(walk(Random(), 1, range(1, 5), 4000))
    assert all(800 < count < 1200 for count in counts.values())


@given(seed=st.integers(0, 99), size=st.integers(2, 8))
def test_shuffle_runs_each_once_per_round(seed: int, size: int) -> None:
    """Every round holds everybody."""
    chosen = walk(Shuffle(), seed, range(1, size + 1), 5 * size)
    rounds = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    assert all(sorted(each) == list(range(1, size + 1)) for each in rounds)


def test_pct_stays_with_the_highest_priority_until_it_drops() -> None:
    """Few changes: long stretches of one task, which a fair choice would never show."""
    chosen = walk(Pct(depth=2, horizon=50), 3, range(1, 6), 60)
    changes = sum(a != b for a, b in pairwise(chosen))
    assert 1 <= changes <= 2


def test_pct_lets_nobody_starve_the_rest() -> None:
    """Whoever polls for ever gives way after a while."""
    chosen = walk(Pct(depth=0), 3, range(1, 4), 1000)
    assert set(chosen) == {1, 2, 3}


def test_choices_repeat_what_is_written_then_go_in_order() -> None:
    """A written schedule ends in first come, first served; an index too large means the last."""
    chooser = Choices((1, 9)).begin(0)
    assert [chooser.choose([4, 5, 6]) for _ in range(4)] == [1, 2, 0, 0]


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_policy_prints_as_what_makes_it(policy: Policy) -> None:
    """The replay line needs an expression."""
    assert policy_of(repr(policy)) == policy
    assert eval(policy_label(Pct(horizon=9))) == Pct(horizon=9)


@pytest.mark.parametrize("name", ["fifo", "random", "shuffle", "pct"])
def test_names_stand_for_the_usual_settings(name: str) -> None:
    """And the usual settings print as the name."""
    assert policy_label(policy_of(name)) == repr(name)


@pytest.mark.parametrize(
    "word", ["Random", "print(1)", "lottery", "Pct(deep=3)", "Pct(__import__('os'))", "1 +", ""]
)
def test_unknown_words_are_refused(word: str) -> None:
    """Only names and our own classes with literal arguments are understood."""
    with pytest.raises(ValueError, match=r"unknown policy|malformed"):
        policy_of(word)


@pytest.mark.parametrize("settings", [{"depth": -1}, {"horizon": 0}])
def test_senseless_settings_are_refused(settings: dict[str, int]) -> None:
    """There is no horizon of nothing."""
    with pytest.raises(ValueError, match="horizon >= 1"):
        Pct(**settings)
