"""What happened in a run: the last steps of its tasks and the messages of its actors."""

import asyncio
from collections import deque
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from callboard.runtime.simulation.handles import Callback, Timer
from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.places import describe, innermost, is_machinery
from callboard.runtime.simulation.stacks import frames_of
from callboard.runtime.simulation.task import SimulatedTask

Kind = Literal["step", "timer", "thread", "sent", "begins", "ends"]
"""A step of a task, a timer that went off, a function in a thread; a message that was sent, whose
handler begins, or whose handler ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    time: float
    """Simulated seconds."""
    step: int
    """Number of the step in the run."""
    kind: Kind
    """What it was."""
    lane: str
    """Who did it: a task or an actor."""
    target: str
    """To whom a message was sent; empty for all else."""
    text: str
    """Where or what, in words."""


class History:
    """Keeps the last events of one run."""

    def __init__(self, keep: int) -> None:
        self._events: deque[Event] = deque(maxlen=keep)
        self._loop: SimulationLoop | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """The events, oldest first."""
        return tuple(self._events)

    def __call__(self, loop: SimulationLoop, handle: Callback | Timer) -> None:
        """Note a callback that is about to run; the loop calls it."""
        self._loop = loop
        if handle.number is None:
            return
        owner = handle.owner
        if isinstance(owner, SimulatedTask):
            self._note_step(owner)
        elif isinstance(handle, Timer):
            self.note("timer", "timers", _named(owner))
        else:
            self.note("thread", "threads", _named(owner))

    def note(self, kind: Kind, lane: str, text: str, target: str = "") -> None:
        """Note an event of the step that runs."""
        loop = self._loop
        if loop is not None and loop.failure is None:  # what follows a failure is clean-up
            self._events.append(
                Event(
                    time=loop.time(),
                    step=loop.steps,
                    kind=kind,
                    lane=lane,
                    target=target,
                    text=text,
                )
            )

    def _note_step(self, task: SimulatedTask) -> None:
        frame = innermost(frames_of(task))
        if frame is not None and not is_machinery(frame.f_code.co_filename):
            self.note("step", _lane(task), describe(frame))


def lane_of_task() -> str:
    """Return the lane of the task that runs."""
    task = asyncio.current_task()
    return _lane(task) if isinstance(task, SimulatedTask) else "the loop"


def _lane(task: SimulatedTask) -> str:
    return f"#{task.number} {task.get_name().rpartition('.')[2]}"


def _named(owner: object) -> str:
    name = str(getattr(owner, "__qualname__", type(owner).__qualname__))
    return _WELL_KNOWN.get(name, name)


_WELL_KNOWN = MappingProxyType(
    {
        "_set_result_unless_cancelled": "a sleep is over",
        "CancelScope._timeout": "a deadline has passed",
        "ThreadCall.deliver": "a function in a thread is done",
    }
)
"""Callbacks of asyncio, anyio and our own, in words."""
