"""Everyone once per round, in random order: close to what trio does."""

import random
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shuffle:
    """Runs in rounds: each that is ready once, in random order; newcomers wait for the next."""

    def begin(self, seed: int) -> "ShuffleChooser":
        """Return a chooser with a stream of its own, apart from the program's."""
        return ShuffleChooser(random.Random(f"schedule {seed}"))  # noqa: S311  not a secret


class ShuffleChooser:
    """Remembers who is still to run in this round."""

    __slots__ = ("_round", "_stream")

    def __init__(self, stream: random.Random) -> None:
        self._stream = stream
        self._round: list[int] = []

    def choose(self, ready: Sequence[int]) -> int:
        """Return the index of somebody who hasn't run in this round."""
        while self._round:
            number = self._round.pop()
            if number in ready:
                return ready.index(number)
        self._round = list(ready)
        self._stream.shuffle(self._round)
        return ready.index(self._round.pop())
