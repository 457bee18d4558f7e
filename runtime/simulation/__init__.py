"""Deterministic simulation: virtual time, seeded schedules, deadlock reports, replays."""

from callboard.runtime.simulation.choices import Choices
from callboard.runtime.simulation.errors import (
    DeadlockError,
    LivelockError,
    RefusedError,
    SimulationError,
)
from callboard.runtime.simulation.exploration import ExplorationReport, Failure
from callboard.runtime.simulation.explore import explore
from callboard.runtime.simulation.fifo import Fifo
from callboard.runtime.simulation.limits import Limits
from callboard.runtime.simulation.pct import Pct
from callboard.runtime.simulation.policy import Chooser, Policy
from callboard.runtime.simulation.random_policy import Random
from callboard.runtime.simulation.report import SimulationReport
from callboard.runtime.simulation.shuffle import Shuffle
from callboard.runtime.simulation.simulate import simulate

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
