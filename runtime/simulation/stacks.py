"""The stack of a suspended task, from its coroutine down to what it awaits."""

from collections.abc import Iterator
from types import FrameType
from typing import Any

from callboard.runtime.drive import resume
from callboard.runtime.simulation.task import SimulatedTask

_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


def frames_of(task: SimulatedTask) -> Iterator[FrameType]:
    """Yield the frames of a suspended task, the outermost first.

    Handlers of actors are driven by hand, and the chain goes on inside of them.
    """
    awaitable: Any = task.get_coro()
    while awaitable is not None:
        frame = _first(awaitable, _FRAMES)
        if isinstance(frame, FrameType):
            yield frame
        if isinstance(frame, FrameType) and frame.f_code is resume.__code__:
            awaitable = frame.f_locals["driven"]
        else:
            awaitable = _first(awaitable, _AWAITED)


def _first(thing: object, names: tuple[str, ...]) -> Any:
    for name in names:
        value = getattr(thing, name, None)
        if value is not None:
            return value
    return None
