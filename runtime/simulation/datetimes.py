"""`datetime.now` in simulated time.

`datetime.datetime` is an immutable class of C, and a subclass in its place, as freezegun has it,
confuses everything that compares classes: pydantic above all. So the method is exchanged in the
dictionary of the class itself, which covers every name that it was ever imported under. `today()`
reads `time.time`, which is covered.
"""

import ctypes
import gc
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any

from callboard.runtime.simulation.clocks import wall_time
from callboard.runtime.simulation.current import current_simulation

NAMES = ("now", "utcnow")


class Datetimes:
    """Exchanges the clock methods of `datetime.datetime`."""

    def __init__(self) -> None:
        self._originals: dict[str, Any] = {}

    def install(self) -> None:
        """Put the simulated methods in."""
        namespace = _namespace()
        self._originals = {name: namespace[name] for name in NAMES}
        namespace.update(now=classmethod(_now(self._original("now"))))
        namespace.update(utcnow=classmethod(_utcnow(self._original("utcnow"))))
        _forget_cached_methods()

    def remove(self) -> None:
        """Put the originals back."""
        _namespace().update(self._originals)
        _forget_cached_methods()

    def _original(self, name: str) -> Callable[..., datetime]:
        descriptor = self._originals[name]

        def call(kind: type[datetime], *args: Any) -> datetime:
            moment: datetime = descriptor.__get__(None, kind)(*args)
            return moment

        return call


def _now(original: Callable[..., datetime]) -> Callable[..., datetime]:
    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        loop = current_simulation()
        return original(cls, tz) if loop is None else cls.fromtimestamp(wall_time(loop), tz)

    return now


def _utcnow(original: Callable[..., datetime]) -> Callable[..., datetime]:
    def utcnow(cls: type[datetime]) -> datetime:
        loop = current_simulation()
        if loop is None:
            return original(cls)
        return cls.fromtimestamp(wall_time(loop), UTC).replace(tzinfo=None)

    return utcnow


def _namespace() -> dict[str, Any]:
    (found,) = gc.get_referents(datetime.__dict__)
    namespace: dict[str, Any] = found
    return namespace


def _forget_cached_methods() -> None:
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))
