"""Whereabouts: where in the program something runs or waits, as text without any values."""

from types import FrameType
from typing import Any


def place(frame: FrameType) -> str:
    """Return the place of a frame, `function (file:line)`."""
    code = frame.f_code
    return f"{code.co_qualname} ({code.co_filename}:{frame.f_lineno})"


def waiting_place(coroutine: Any) -> str:
    """Return the line of its own at which a suspended coroutine waits."""
    frame = getattr(coroutine, "cr_frame", None)
    return place(frame) if isinstance(frame, FrameType) else "unknown"
