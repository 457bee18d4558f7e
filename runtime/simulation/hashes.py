"""Hashes that repeat, for the objects that anyio and the runtime keep in sets.

An object's own hash comes from its address, and the order of a set from the hashes: scopes would be
cancelled in another order in every run.
"""

from collections.abc import Callable
from typing import Any

from anyio._backends._asyncio import CancelScope

from callboard.runtime.envelope import Envelope
from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.substitution import Substitution
from callboard.runtime.workers import Worker


def hash_substitutions() -> list[Substitution]:
    """Return stand-ins that number the objects of a simulation; all others keep their hash."""
    return [
        Substitution(owner=kind, name="__hash__", serve=_number)
        for kind in (CancelScope, Envelope, Worker)
    ]


def _number(loop: SimulationLoop, original: Callable[[Any], int], thing: object) -> int:
    del original
    return loop.numbers.number(thing)
