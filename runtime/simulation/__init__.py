"""Deterministic simulation: virtual time, seeded schedules, deadlock reports, replays.

Nothing is loaded before its first use: the pytest plugin lives here, and sessions without any
simulated test should not pay for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from callboard.runtime.simulation.choices import Choices
    from callboard.runtime.simulation.errors import (
        DeadlockError,
        LivelockError,
        RefusedError,
        SimulationError,
    )
    from callboard.runtime.simulation.exploration import ExplorationReport, Failure
    from callboard.runtime.simulation.fifo import Fifo
    from callboard.runtime.simulation.limits import Limits
    from callboard.runtime.simulation.pct import Pct
    from callboard.runtime.simulation.policy import Chooser, Policy
    from callboard.runtime.simulation.random_policy import Random
    from callboard.runtime.simulation.report import SimulationReport
    from callboard.runtime.simulation.run import simulate
    from callboard.runtime.simulation.search import explore
    from callboard.runtime.simulation.shuffle import Shuffle

__all__ = [
    "Choices",
    "Chooser",
    "DeadlockError",
    "ExplorationReport",
    "Failure",
    "Fifo",
    "Limits",
    "LivelockError",
    "Pct",
    "Policy",
    "Random",
    "RefusedError",
    "Shuffle",
    "SimulationError",
    "SimulationReport",
    "explore",
    "simulate",
]

_HOMES = {
    "Choices": "choices",
    "Chooser": "policy",
    "DeadlockError": "errors",
    "ExplorationReport": "exploration",
    "Failure": "exploration",
    "Fifo": "fifo",
    "Limits": "limits",
    "LivelockError": "errors",
    "Pct": "pct",
    "Policy": "policy",
    "Random": "random_policy",
    "RefusedError": "errors",
    "Shuffle": "shuffle",
    "SimulationError": "errors",
    "SimulationReport": "report",
    "explore": "search",
    "simulate": "run",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
