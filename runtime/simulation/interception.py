"""Puts all substitutions in place, wherever the originals were imported to, and takes them out.

Functions that modules imported by name (`from time import monotonic`) are exchanged there, too.
What is held otherwise (a default argument, a closure, an attribute) can't be exchanged:
`callboard.runtime.simulation.captures` finds it, to be reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from callboard.runtime.simulation.aliases import Aliases
from callboard.runtime.simulation.datetimes import Datetimes
from callboard.runtime.simulation.substitution import Substitution

_MISSING = object()


@dataclass(frozen=True, slots=True)
class _Exchange:
    """One attribute that was exchanged, and what to put back."""

    owner: Any
    name: str
    raw: Any

    def undo(self) -> None:
        if self.raw is _MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.raw)


class Interception:
    """The substitutions, in place or not. What other threads call serves them the originals."""

    def __init__(self, substitutions: Sequence[Substitution]) -> None:
        self._substitutions = substitutions
        self._aliases = Aliases()
        self._datetimes = Datetimes()
        self._exchanges: list[_Exchange] = []
        self._originals: dict[int, Any] = {}
        """By identity of the stand-in, which the exchanged attribute keeps alive."""

    def install(self) -> None:
        """Put the stand-ins in place."""
        stand_ins: dict[int, Any] = {}
        for each in self._substitutions:
            original, stand_in = self._exchange(each)
            if isinstance(each.owner, ModuleType):
                stand_ins[id(original)] = stand_in
                self._originals[id(stand_in)] = original
        self._aliases.exchange(stand_ins)
        self._datetimes.install()

    def remove(self) -> None:
        """Put everything back as it was."""
        self._datetimes.remove()
        self._aliases.exchange(self._originals)
        while self._exchanges:
            self._exchanges.pop().undo()
        self._originals.clear()

    def _exchange(self, each: Substitution) -> tuple[Any, Any]:
        namespace: Mapping[str, Any] = each.owner.__dict__
        raw = namespace.get(each.name, _MISSING)
        original = getattr(each.owner, each.name)
        stand_in: Any = each.stand_in(original)
        if isinstance(raw, classmethod | staticmethod):
            stand_in = staticmethod(stand_in)
        setattr(each.owner, each.name, stand_in)
        self._exchanges.append(_Exchange(each.owner, each.name, raw))
        return original, stand_in
