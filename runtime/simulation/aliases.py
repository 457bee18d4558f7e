"""The globals of all modules, and the functions in them that were imported by name."""

import sys
from collections.abc import Mapping
from typing import Any


class Aliases:
    """Exchanges functions in the globals of all modules.

    Looking through a thousand modules takes milliseconds, so it remembers what it has seen: from
    then on it looks at known places, and at modules that are new or have grown.
    """

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self._places: dict[tuple[str, str], None] = {}

    def exchange(self, table: Mapping[int, Any]) -> None:
        """Replace objects, given by their identity, wherever a module's globals hold them."""
        self._look(table)
        for module_name, name in self._places:
            namespace = _namespace(module_name)
            value = namespace.get(name)
            if id(value) in table:
                namespace[name] = table[id(value)]

    def _look(self, table: Mapping[int, Any]) -> None:
        for module_name in tuple(sys.modules):
            namespace = _namespace(module_name)
            if self._sizes.get(module_name) == len(namespace):
                continue
            self._sizes[module_name] = len(namespace)
            for name, value in tuple(namespace.items()):
                if id(value) in table:
                    self._places[module_name, name] = None


def _namespace(module_name: str) -> dict[str, Any]:
    namespace: dict[str, Any] | None = getattr(sys.modules.get(module_name), "__dict__", None)
    return {} if namespace is None else namespace
