"""Farewells: how an actor is to end, from the moment that this is decided."""

from dataclasses import dataclass, field

from callboard.runtime.down import Ending
from callboard.runtime.loops import Slot


@dataclass(slots=True, kw_only=True, eq=False)
class Farewell:
    """The end of one actor, under way or past."""

    reason: Ending
    """Whether it was stopped or failed."""
    error: BaseException | None
    """The failure."""
    deadline: float
    """Until when it may handle what is queued; later stops may make it earlier."""
    killed: bool = False
    """Whether it gets no last words."""
    waiters: list[Slot] = field(default_factory=list[Slot])
    """Who waits for the end."""
