"""Random priorities with a few changes: finds bugs that need a task to be late for long.

Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi, Nagarakatti, "A randomized
scheduler with probabilistic guarantees of finding bugs" (ASPLOS 2010). A bug that takes `depth`
ordered events among n tasks and k choices is found with a chance of at least 1 / (n k^(depth-1)).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

PATIENCE = 100
"""Times that one may run in a row before it gives way: who polls must not starve the rest."""


@dataclass(frozen=True, slots=True)
class Pct:
    """Always runs the highest priority; at `depth` random moments that one drops to the end."""

    depth: int = 3
    """Changes of priority in a run."""
    horizon: int = 500
    """Choices over which the changes are spread; best about as many as a run has."""

    def __post_init__(self) -> None:
        if self.depth < 0 or self.horizon < 1:
            raise ValueError(f"need depth >= 0 and horizon >= 1, got {self}")

    def begin(self, seed: int) -> "PctChooser":
        """Return a chooser with a stream of its own, apart from the program's."""
        stream = random.Random(f"schedule {seed}")  # noqa: S311  not a secret
        changes = {stream.randrange(self.horizon) for _ in range(self.depth)}
        return PctChooser(stream, frozenset(changes))


class PctChooser:
    """Remembers the priorities."""

    __slots__ = ("_changes", "_count", "_last", "_lowest", "_priorities", "_streak", "_stream")

    def __init__(self, stream: random.Random, changes: frozenset[int]) -> None:
        self._stream = stream
        self._changes = changes
        self._priorities: dict[int, float] = {}
        self._count = 0
        self._lowest = 0.0
        self._last = -1
        self._streak = 0

    def choose(self, ready: Sequence[int]) -> int:
        """Return the index of the highest priority."""
        best = self._highest(ready)
        self._streak = self._streak + 1 if best == self._last else 0
        if self._count in self._changes or self._streak >= PATIENCE:
            self._demote(best)
            best = self._highest(ready)
        self._count += 1
        self._last = best
        return ready.index(best)

    def _highest(self, ready: Sequence[int]) -> int:
        priorities, draw = self._priorities, self._stream.random
        for number in ready:
            if number not in priorities:
                priorities[number] = draw()
        return max(ready, key=priorities.__getitem__)

    def _demote(self, number: int) -> None:
        self._lowest -= 1
        self._priorities[number] = self._lowest
        self._streak = 0
