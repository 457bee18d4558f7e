"""Schedules as a hypothesis strategy: the shrinker makes them as simple as the bug allows.

Needs hypothesis, which only tests have.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from callboard.runtime.simulation.choices import Choices

MOST_CHOICES = 1000
"""Choices that are drawn for one run; what follows runs first come, first served."""


class DrawnSchedule:
    """A policy whose choices are drawn one by one from hypothesis' data.

    A drawn 0 means: whoever was ready first. So a shrunk schedule departs from first come, first
    served only where the failure needs it. Its repr is the literal policy that repeats the run.
    """

    def __init__(self, draw: Callable[[st.SearchStrategy[int]], int], most: int) -> None:
        self._draw = draw
        self._left = most
        self._drawn: list[int] = []

    def begin(self, seed: int) -> "DrawnSchedule":
        """Return itself: an example is one run."""
        del seed
        return self

    def choose(self, ready: Sequence[int]) -> int:
        """Draw an index."""
        if not self._left:
            return 0
        self._left -= 1
        index = self._draw(st.integers(0, len(ready) - 1))
        self._drawn.append(index)
        return index

    def __repr__(self) -> str:
        drawn = list(self._drawn)
        while drawn and not drawn[-1]:
            drawn.pop()
        return repr(Choices(tuple(drawn)))


@st.composite
def schedules(draw: Any, *, most_choices: int = MOST_CHOICES) -> DrawnSchedule:
    """Return a strategy of policies for `simulate`, each good for one run.

        @given(policy=schedules())
        def test_nothing_is_lost(policy: Policy) -> None:
            simulate(main, policy=policy)

    Args:
        draw: Given by hypothesis.
        most_choices: How many choices are drawn; the rest of a run goes in order.
    """
    return DrawnSchedule(draw, most_choices)
