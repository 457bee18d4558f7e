"""Numbers for objects in the order in which they are first asked for: hashes that repeat."""

import weakref
from collections.abc import Callable
from itertools import count
from typing import Any


class Numbers:
    """Numbers objects by identity."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[Callable[[], Any], int]] = {}
        self._count = count(1)

    def number(self, thing: object) -> int:
        """Return the number of an object, a fresh one for one not seen before."""
        key = id(thing)
        entry = self._entries.get(key)
        if entry is not None and entry[0]() is thing:
            return entry[1]
        number = next(self._count)
        self._entries[key] = (self._refer(thing, key), number)
        return number

    def _refer(self, thing: object, key: int) -> Callable[[], Any]:
        try:
            return weakref.ref(thing, lambda _: self._entries.pop(key, None))
        except TypeError:
            return lambda: thing  # kept alive, so that nothing else can have its identity
