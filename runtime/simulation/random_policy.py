"""Anyone may be next, with equal chance."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Random:
    """Runs any of those that are ready, each with the same chance at every step."""

    def begin(self, seed: int) -> "RandomChooser":
        """Return a chooser with a stream of its own, apart from the program's."""
        return RandomChooser(random.Random(f"schedule {seed}"))  # noqa: S311  not a secret


class RandomChooser:
    """Draws from one seeded stream."""

    __slots__ = ("_draw",)

    def __init__(self, stream: random.Random) -> None:
        self._draw = stream.random

    def choose(self, ready: Sequence[int]) -> int:
        """Return any index."""
        return int(self._draw() * len(ready))
