"""Whereabouts: where in the program something runs or waits, as text without any values."""

from types import FrameType
from typing import Any

_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")


def place(frame: FrameType) -> str:
    """Return the place of a frame, `function (file:line)`."""
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"


def waiting_place(coroutine: Any) -> str:
    """Return the innermost place where a suspended coroutine waits, as far as it can be seen."""
    found, awaitable = "unknown", coroutine
    while awaitable is not None:
        frame = _first(awaitable, _FRAMES)
        if isinstance(frame, FrameType):
            found = place(frame)
        awaitable = _first(awaitable, _AWAITED)
    return found


def _first(thing: object, names: tuple[str, ...]) -> Any:
    return next(
        (value for name in names if (value := getattr(thing, name, None)) is not None), None
    )
