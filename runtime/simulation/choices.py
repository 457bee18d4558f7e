"""A schedule written down: the choices themselves."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choices:
    """Repeats given choices and goes on first come, first served. The seed changes no order.

    `SimulationReport.choices` holds those of a run, so any schedule can be repeated, shortened and
    kept in a test without the policy that found it.
    """

    indices: tuple[int, ...] = ()
    """Index of the chosen one at each choice; one too large means the last."""

    def __repr__(self) -> str:
        return f"Choices({self.indices!r})"

    def begin(self, seed: int) -> "ChoicesChooser":  # noqa: ARG002  nothing is left to chance
        """Return a chooser that stands at the beginning."""
        return ChoicesChooser(self.indices)


class ChoicesChooser:
    """Remembers how far it is."""

    __slots__ = ("_indices", "_next")

    def __init__(self, indices: Sequence[int]) -> None:
        self._indices = indices
        self._next = 0

    def choose(self, ready: Sequence[int]) -> int:
        """Return what is written down, 0 after the end."""
        if self._next >= len(self._indices):
            return 0
        index = self._indices[self._next]
        self._next += 1
        return min(index, len(ready) - 1)
