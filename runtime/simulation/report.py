"""What one simulated run was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from callboard.runtime.simulation.captures import find_captures
from callboard.runtime.simulation.chart import draw_chart
from callboard.runtime.simulation.history import Event
from callboard.runtime.simulation.policy import Policy
from callboard.runtime.simulation.replay import replay_line
from callboard.runtime.simulation.stage import substitutions

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport(Generic[T]):
    """One run, which the same seed and policy repeat."""

    main: Callable[..., Any] = field(repr=False)
    """The program."""
    args: tuple[Any, ...] = field(repr=False)
    """What it was called with."""
    seed: int
    """Decides the schedule (with the policy) and all chance in the program."""
    policy: Policy
    """Who chose."""
    outcome: T | None
    """What the program returned; None if it failed."""
    error: BaseException | None
    """What the program raised, or the SimulationError that ended it."""
    digest: str
    """Fingerprint of all steps: equal for equal schedules, in any process."""
    time: float
    """Simulated seconds."""
    steps: int
    """Callbacks and steps of tasks."""
    choices: tuple[int, ...] = field(repr=False)
    """What the policy chose wherever there was a choice; `Choices(report.choices)` repeats it."""
    events: tuple[Event, ...] = field(repr=False)
    """The last events, oldest first."""

    @property
    def result(self) -> T:
        """What the program returned.

        Raises:
            BaseException: What it raised, if it failed.
        """
        if self.error is not None:
            raise self.error
        return cast("T", self.outcome)

    @property
    def replay(self) -> str:
        """The line that repeats the run."""
        return replay_line(self.main, self.args, self.seed, self.policy)

    def chart(self, rows: int = 60) -> str:
        """Return a sequence chart of the last events, as text."""
        return draw_chart(self.events, rows)

    def uncovered(self) -> tuple[str, ...]:
        """Return clocks and sources of chance that the program may hold on to, out of our reach.

        Each as "time.monotonic in a default argument of package.function". It looks at all objects
        of the process, which takes a moment.
        """
        return find_captures(substitutions())

    def __str__(self) -> str:
        end = "ended well" if self.error is None else f"failed: {self.error!r}"
        return (
            f"{end} after {self.steps} steps and {self.time:.6g} simulated seconds, "
            f"digest {self.digest}\nreplay: {self.replay}"
        )
