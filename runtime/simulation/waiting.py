"""The wait graph of tasks: who waits where, for what, and for whom."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from callboard.runtime.ref import ActorRef
from callboard.runtime.simulation.places import describe, innermost, is_machinery
from callboard.runtime.simulation.stacks import frames_of
from callboard.runtime.simulation.task import SimulatedTask

MOST_TASKS = 50
"""Tasks that a picture shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One task, and what it waits for."""

    number: int
    """Number of the task."""
    name: str
    """Name of the task."""
    place: str
    """Where it waits: "file:line in function"."""
    thing: str
    """What it waits for, in words; empty if that can't be seen."""
    others: tuple[int, ...]
    """Numbers of the tasks that could end the wait, where that can be seen."""

    def __str__(self) -> str:
        others = ", ".join(f"#{number}" for number in self.others)
        parts = [f"#{self.number} {self.name} at {self.place}"]
        if self.thing:
            parts.append(f"waits for {self.thing}")
        if others:
            parts.append(f"-> {others}")
        return " ".join(parts)


def draw_waits(tasks: Iterable[SimulatedTask]) -> str:
    """Return a picture of who waits for whom: one line per task, then the circles."""
    waits = [_wait_of(task) for task in sorted(tasks, key=hash)]
    lines = [f"  {wait}" for wait in waits[:MOST_TASKS]]
    if len(waits) > MOST_TASKS:
        lines.append(f"  and {len(waits) - MOST_TASKS} tasks more")
    circle = find_circle(waits)
    if circle:
        lines.append("  circle: " + " -> ".join(f"#{number}" for number in circle))
    return "\n".join(lines)


def find_circle(waits: Sequence[Wait]) -> list[int]:
    """Return the numbers of tasks that wait for one another, the first again at the end.

    Only tasks whose wait a single other task could end count: where several could, there is hope.
    """
    follows = {wait.number: wait.others[0] for wait in waits if len(wait.others) == 1}
    for start in follows:
        trail = [start]
        while (after := follows.get(trail[-1])) is not None:
            if after in trail:
                return [*trail[trail.index(after) :], after]
            trail.append(after)
    return []


def _wait_of(task: SimulatedTask) -> Wait:
    frames = list(frames_of(task))
    own = innermost(frames)
    found = next(filter(None, (_look(frame, task) for frame in _beyond(frames, own))), None)
    if found is None:
        awaited = task.awaited
        found = _Found("") if awaited is None else _Found("a task", (awaited.number,))
    return Wait(
        number=task.number,
        name=task.get_name(),
        place="its beginning" if own is None else describe(own),
        thing=found.thing,
        others=found.others,
    )


def _beyond(frames: Sequence[FrameType], own: FrameType | None) -> Sequence[FrameType]:
    """Return the frames of libraries that a line of the program has called."""
    if own is None or is_machinery(own.f_code.co_filename):
        return frames
    return frames[frames.index(own) + 1 :]


@dataclass(frozen=True, slots=True)
class _Found:
    thing: str
    others: tuple[int, ...] = ()


def _look(frame: FrameType, task: SimulatedTask) -> _Found | None:
    """Say what a frame of a library waits for, by the object whose method it is."""
    values = frame.f_locals
    thing = values.get("self")
    function = frame.f_code.co_name
    if isinstance(thing, anyio.Lock):
        owner = thing.statistics().owner
        return _Found("a Lock", () if owner is None else _by_identity([owner.id]))
    if isinstance(thing, anyio.CapacityLimiter):
        return _Found("a CapacityLimiter", _by_identity(map(id, thing.statistics().borrowers)))
    if isinstance(thing, TaskGroup) and function in ("__aexit__", "start"):
        return _Found("its task group", _children(thing, task))
    return _look_at_the_rest(thing, function, values)


def _look_at_the_rest(thing: Any, function: str, values: dict[str, Any]) -> _Found | None:
    if isinstance(thing, MemoryObjectReceiveStream):
        senders = thing.statistics().open_send_streams
        return _Found(f"an item from a stream with {senders} open senders")
    if isinstance(thing, MemoryObjectSendStream):
        receivers = thing.statistics().open_receive_streams
        return _Found(f"room in a stream with {receivers} open receivers")
    if isinstance(thing, ActorRef) and function == "ask":
        message = type(values.get("message")).__name__
        return _Found(f"the reply to {message} from {str(thing.address)!r}")
    if isinstance(thing, anyio.Event | anyio.Semaphore | anyio.Condition):
        return _Found(_kind(thing))
    if function in ("sleep", "sleep_forever", "sleep_until"):
        return _Found("time to pass")
    return None


def _kind(thing: object) -> str:
    for kind in (anyio.Event, anyio.Semaphore, anyio.Condition):
        if isinstance(thing, kind):
            return f"an {kind.__name__}" if kind is anyio.Event else f"a {kind.__name__}"
    return type(thing).__name__


def _children(group: TaskGroup, task: SimulatedTask) -> tuple[int, ...]:
    children: Iterable[Any] = getattr(group, "_tasks", ())
    numbers = (child.number for child in children if isinstance(child, SimulatedTask))
    return tuple(sorted(number for number in numbers if number != task.number))


def _by_identity(identities: Iterable[int]) -> tuple[int, ...]:
    wanted = frozenset(identities)
    tasks = (task for task in asyncio.all_tasks() if isinstance(task, SimulatedTask))
    return tuple(sorted(task.number for task in tasks if id(task) in wanted))
