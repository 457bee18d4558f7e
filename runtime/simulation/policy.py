"""Policies: who of those that could run next, does.

Whatever is ready competes: steps of tasks, timers that are due, functions in threads. Each is known
by a number that stays the same over repeated runs. A policy is a description, a value that prints
as what it takes to make it again; for each run it begins a chooser, which may remember.
"""

from collections.abc import Sequence
from typing import Protocol


class Chooser(Protocol):
    """Chooses for one run."""

    def choose(self, ready: Sequence[int]) -> int:
        """Return the index of the one that runs next.

        Args:
            ready: Their numbers, two or more, in the order in which they became ready.
        """
        ...


class Policy(Protocol):
    """Describes a way of choosing."""

    def begin(self, seed: int) -> Chooser:
        """Return the chooser of one run."""
        ...
