"""The stage of a simulation: the process, prepared so that a run repeats."""

import gc
import random
from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock
from typing import Any

from callboard.runtime.simulation.clocks import clock_substitutions
from callboard.runtime.simulation.entropy import entropy_substitutions
from callboard.runtime.simulation.hashes import hash_substitutions
from callboard.runtime.simulation.inline_threads import thread_substitutions
from callboard.runtime.simulation.interception import Interception
from callboard.runtime.simulation.messages import message_substitutions
from callboard.runtime.simulation.refusals import refusal_substitutions
from callboard.runtime.simulation.substitution import Substitution


def substitutions() -> list[Substitution]:
    """Return everything that a simulation puts stand-ins for, as far as this Python has it."""
    every = [
        *clock_substitutions(),
        *entropy_substitutions(),
        *hash_substitutions(),
        *message_substitutions(),
        *refusal_substitutions(),
        *thread_substitutions(),
    ]
    return [each for each in every if each.exists]


class Stage:
    """Where simulations take turns: what they exchange belongs to the whole process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._depth = 0
        self._interception = Interception(substitutions())

    @contextmanager
    def set(self) -> Generator[None]:
        """Put the stand-ins in place; those within an exploration share its."""
        with self._lock:
            if not self._depth:
                self._interception.install()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth:
                    self._interception.remove()

    @contextmanager
    def run(self, seed: int) -> Generator[None]:
        """Seed the module random, and keep finalizers away: they come when memory is short."""
        state: Any = random.getstate()
        collecting = gc.isenabled()
        gc.disable()
        random.seed(seed)
        try:
            yield
        finally:
            random.setstate(state)
            if collecting:
                gc.enable()


STAGE = Stage()
"""The one stage: a process has one module `time`, so this can't be an object of the caller's."""
