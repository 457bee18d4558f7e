"""What many runs of one program showed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from callboard.runtime.simulation.report import SimulationReport

ROWS = 40
"""Rows of the chart in a printed failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A schedule under which the program failed."""

    error: BaseException
    """What it raised, or the SimulationError that ended it."""
    report: SimulationReport[Any]
    """The same schedule once more, with its history."""
    reproduced: bool
    """Whether the second run took the same steps; else something in it does not repeat."""

    @property
    def replay(self) -> str:
        """The line that repeats the run."""
        return self.report.replay

    def notes(self) -> Iterator[str]:
        """Yield what helps to understand the error: how to repeat it, and what happened."""
        yield f"replay: {self.replay}"
        if not self.reproduced:
            yield _unrepeatable(self.report)
        if self.report.events:
            yield f"the end of the run:\n{self.report.chart(ROWS)}"

    def __str__(self) -> str:
        return "\n".join([f"{type(self.error).__name__}: {self.error}", *self.notes()])


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorationReport:
    """Many runs of one program under different schedules."""

    runs: int
    """How many."""
    schedules: int
    """How many different ones: by their digests."""
    steps: int
    """Callbacks and steps of tasks in all."""
    time: float
    """Simulated seconds in all."""
    failures: tuple[Failure, ...]
    """Those that failed, in the order of the search."""

    def check(self) -> None:
        """Raise the error of the first failure, with notes that say how to repeat it.

        Raises:
            BaseException: What the program raised.
        """
        for failure in self.failures:
            for note in failure.notes():
                failure.error.add_note(note)
            raise failure.error

    def __str__(self) -> str:
        summary = (
            f"{self.runs} runs, {self.schedules} different schedules, {self.steps} steps, "
            f"{self.time:.6g} simulated seconds, {len(self.failures)} failures"
        )
        return "\n".join([summary, *map(str, self.failures)])


def _unrepeatable(report: SimulationReport[Any]) -> str:
    captures = report.uncovered()
    hints = "".join(f"\n  {capture}" for capture in captures)
    suspects = f" Suspects, which a simulation can't reach:{hints}" if captures else ""
    return (
        "the second run of this schedule took other steps: the program keeps something from run to "
        "run, or an order in it follows addresses (a set of your own objects) or PYTHONHASHSEED (a "
        f"set of strings).{suspects}"
    )
