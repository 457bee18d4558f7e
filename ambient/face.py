"""Faces: packages whose names are imported when they are first used.

A program pays for what it uses: `from callboard.agents import Agent` loads no command line, no
client and no model. Type checkers read the package's own `if TYPE_CHECKING` imports.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


class Face(ModuleType):
    """A package that finds its names where they are defined, once each."""

    _homes: Mapping[str, str]

    def __getattr__(self, name: str) -> Any:
        home = self._homes.get(name)
        if home is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(home), name)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # The import system binds submodules: `stack` would hide the function it is named after.
        if not (isinstance(value, ModuleType) and name in self._homes):
            super().__setattr__(name, value)

    def __dir__(self) -> Iterable[str]:
        return sorted({*self.__dict__, *self._homes})


def lazy_face(package: str, homes: Mapping[str, Iterable[str]]) -> None:
    """Turn the package that calls this into a face.

    Args:
        package: Its `__name__`.
        homes: For each module, the names that it lends to the face.
    """
    module = sys.modules[package]
    module.__dict__["_homes"] = {name: home for home, names in homes.items() for name in names}
    module.__class__ = Face
