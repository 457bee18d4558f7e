"""Substitutions: what a simulated program meets instead of the clock, chance and the world."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from callboard.runtime.simulation.current import current_simulation
from callboard.runtime.simulation.loop import SimulationLoop


@dataclass(frozen=True, slots=True, kw_only=True)
class Substitution:
    """One function of a module, or method of a class, and what stands in for it."""

    owner: Any
    """The module or class."""
    name: str
    """The name in it."""
    serve: Callable[..., Any]
    """Called inside of a simulation, with the loop, the original and the arguments."""

    @property
    def exists(self) -> bool:
        """Whether this Python has it."""
        return hasattr(self.owner, self.name)

    def stand_in(self, original: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that serves simulated programs, and leaves all others the original."""
        serve = self.serve

        @wraps(original)
        def stand_in(*args: Any, **kwargs: Any) -> Any:
            loop = current_simulation()
            if loop is None:
                return original(*args, **kwargs)
            return serve(loop, original, *args, **kwargs)

        return stand_in


def serves(value: Callable[[SimulationLoop], Any]) -> Callable[..., Any]:
    """Return a serve function that returns a value of the loop, whatever the arguments."""

    def serve(loop: SimulationLoop, original: Any, *args: Any, **kwargs: Any) -> Any:
        del original, args, kwargs
        return value(loop)

    return serve


def refuses(what: str, instead: str) -> Callable[..., Any]:
    """Return a serve function that refuses."""

    def serve(loop: SimulationLoop, original: Any, *args: Any, **kwargs: Any) -> Any:
        del original, args, kwargs
        loop.refuse(what, instead)

    return serve
