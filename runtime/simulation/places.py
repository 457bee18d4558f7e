"""Places in the code: whose line it was, past the machinery of anyio and the standard library."""

import inspect
import sysconfig
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from types import FrameType

import anyio

_LIBRARY = (sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"))
_MACHINERY = (str(Path(anyio.__file__).parent), str(Path(__file__).parents[1]), "<frozen")


@cache
def is_machinery(path: str) -> bool:
    """Return whether a file belongs to the standard library, to anyio or to this runtime."""
    if path.startswith(_MACHINERY):
        return True
    return path.startswith(_LIBRARY) and "site-packages" not in path


def describe(frame: FrameType) -> str:
    """Return "file:line in function"."""
    code = frame.f_code
    return f"{_short(code.co_filename, Path.cwd())}:{frame.f_lineno} in {code.co_qualname}"


def innermost(frames: Iterable[FrameType]) -> FrameType | None:
    """Return the last frame that is not machinery, else the last one, None if there is none."""
    own: FrameType | None = None
    last: FrameType | None = None
    for frame in frames:
        last = frame
        if not is_machinery(frame.f_code.co_filename):
            own = frame
    return own or last


def culprit() -> str:
    """Return the line of the program that is being executed."""
    frame = inspect.currentframe()
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    found = innermost(reversed(frames))
    return "an unknown place" if found is None else describe(found)


@cache
def _short(path: str, here: Path) -> str:
    return str(Path(path).relative_to(here)) if Path(path).is_relative_to(here) else path
