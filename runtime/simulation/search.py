"""Searches the schedules of a program for one under which it fails."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVarTuple

from callboard.runtime.simulation.choices import Choices
from callboard.runtime.simulation.exploration import ExplorationReport, Failure
from callboard.runtime.simulation.limits import Limits
from callboard.runtime.simulation.naming import policy_of
from callboard.runtime.simulation.pct import Pct
from callboard.runtime.simulation.policy import Policy
from callboard.runtime.simulation.report import SimulationReport
from callboard.runtime.simulation.run import HISTORY, USUAL_LIMITS, observe
from callboard.runtime.simulation.stage import STAGE

Ts = TypeVarTuple("Ts")

POLICIES = ("random", "pct")
"""Each finds bugs that the other misses."""


def explore(
    main: Callable[[*Ts], Awaitable[object]],
    *args: *Ts,
    seeds: int | Iterable[int] = 100,
    policies: Sequence[str | Policy] = POLICIES,
    stop_after: int | None = 1,
    limits: Limits = USUAL_LIMITS,
) -> ExplorationReport:
    """Run a program under many schedules, each as `simulate` would.

    A failure is an exception that the program raises, or a simulation's own: deadlock, livelock, a
    refusal. A failing schedule is run a second time, to record what happened and to see whether it
    repeats. `main` is called again and again: what it must find fresh, it has to make.

    "pct" by name is fitted to the program: a first run in order counts its choices.

    Args:
        main: The program, as for `anyio.run`.
        *args: What it is called with, each time.
        seeds: How many seeds, or which.
        policies: Each seed is run under each of them.
        stop_after: End the search after so many failures; None to go on to the last seed.
        limits: How far each run may go.

    Returns:
        What was found; `.check()` raises the first failure.

    Raises:
        BaseException: What ends the search and is no Exception, such as KeyboardInterrupt.
    """
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    search = _Search(main, args, limits)
    with STAGE.set():
        for seed, policy in search.schedules(chosen, policies):
            search.run(seed, policy)
            if stop_after is not None and len(search.failures) >= stop_after:
                break
    return search.report()


@dataclass(slots=True)
class _Search:
    main: Callable[..., Awaitable[object]]
    args: tuple[Any, ...]
    limits: Limits
    failures: list[Failure] = field(default_factory=list[Failure])
    runs: int = 0
    steps: int = 0
    time: float = 0.0
    digests: set[str] = field(default_factory=set[str])

    def schedules(
        self, seeds: Iterable[int], policies: Sequence[str | Policy]
    ) -> Iterator[tuple[int, Policy]]:
        """Yield what to run; nothing more once the caller has found enough."""
        horizon = 0
        if "pct" in policies:
            horizon = len(self.run(0, Choices()).choices)
            if self.failures:
                return
        fitted = Pct(horizon=max(1, horizon))
        ready = [fitted if policy == "pct" else policy_of(policy) for policy in policies]
        yield from ((seed, policy) for seed in seeds for policy in ready)

    def run(self, seed: int, policy: Policy) -> SimulationReport[object]:
        """Run one schedule and take note of it."""
        report = self._observe(seed, policy, 0)
        self.runs += 1
        self.steps += report.steps
        self.time += report.time
        self.digests.add(report.digest)
        if report.error is not None:
            self.failures.append(self._failure(report, report.error))
        return report

    def _failure(self, report: SimulationReport[object], error: BaseException) -> Failure:
        if not isinstance(error, Exception):
            raise error
        again = self._observe(report.seed, report.policy, HISTORY)
        same = again.digest == report.digest and type(again.error) is type(error)
        return Failure(error=error, report=again, reproduced=same)

    def _observe(self, seed: int, policy: Policy, history: int) -> SimulationReport[object]:
        return observe(self.main, self.args, seed, policy, self.limits, history)

    def report(self) -> ExplorationReport:
        """Return what was found."""
        return ExplorationReport(
            runs=self.runs,
            schedules=len(self.digests),
            steps=self.steps,
            time=self.time,
            failures=tuple(self.failures),
        )
