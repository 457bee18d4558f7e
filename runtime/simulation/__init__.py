"""Deterministic simulation: virtual time, seeded schedules, deadlock reports, replays.

Names are imported when they are first used, so that a program pays for what it uses.
"""

from typing import TYPE_CHECKING

from callboard.ambient.face import lazy_face

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

lazy_face(
    __name__,
    {
        "callboard.runtime.simulation.choices": ["Choices"],
        "callboard.runtime.simulation.errors": [
            "DeadlockError",
            "LivelockError",
            "RefusedError",
            "SimulationError",
        ],
        "callboard.runtime.simulation.exploration": ["ExplorationReport", "Failure"],
        "callboard.runtime.simulation.fifo": ["Fifo"],
        "callboard.runtime.simulation.limits": ["Limits"],
        "callboard.runtime.simulation.pct": ["Pct"],
        "callboard.runtime.simulation.policy": ["Chooser", "Policy"],
        "callboard.runtime.simulation.random_policy": ["Random"],
        "callboard.runtime.simulation.report": ["SimulationReport"],
        "callboard.runtime.simulation.run": ["simulate"],
        "callboard.runtime.simulation.search": ["explore"],
        "callboard.runtime.simulation.shuffle": ["Shuffle"],
    },
)
