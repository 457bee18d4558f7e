"""How far a simulation may run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Beyond these, a program counts as one that never ends."""

    steps: int = 1_000_000
    """Callbacks and steps of tasks in all."""
    steps_at_once: int = 100_000
    """The same, without the clock moving."""
    clock_reads: int = 1_000_000
    """Looks at the clock within one step, during which it does not move."""

    def __post_init__(self) -> None:
        if min(self.steps, self.steps_at_once, self.clock_reads) < 1:
            raise ValueError(f"limits must be at least 1, got {self}")
