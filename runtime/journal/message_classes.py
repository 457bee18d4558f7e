"""Finds message classes by the names under which they were recorded. It never imports anything."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, cast

from callboard.runtime.journal.errors import MessageTypeError
from callboard.runtime.message import Message, qualified_name


class MessageClasses:
    """The message classes of this process: those that are named, and all that are loaded.

    What a journal names is only looked up, so that a foreign file can't make a program import or
    run anything.

    Args:
        named: Classes that win over others of the same name.
    """

    def __init__(self, named: Iterable[type[Message[Any]]] = ()) -> None:
        self._known: dict[str, type[Any]] = {qualified_name(kind): kind for kind in named}

    def find(self, name: str) -> type[Any]:
        """Return the class of a qualified name.

        Raises:
            MessageTypeError: No such class is loaded.
        """
        found = self._known.get(name) or _in_its_module(name) or _among_subclasses(name)
        if found is None:
            raise MessageTypeError(name)
        self._known[name] = found
        return found


def _in_its_module(name: str) -> type[Any] | None:
    """Find a class where it says that it was defined; a module's name may have dots, too."""
    parts = name.split(".")
    for end in range(len(parts) - 1, 0, -1):
        found: Any = sys.modules.get(".".join(parts[:end]))
        for part in parts[end:]:
            found = getattr(found, "__dict__", {}).get(part)
        if isinstance(found, type) and _is_message(found, name):
            return found
    return None


def _among_subclasses(name: str) -> type[Any] | None:
    """Find a class that is defined in a function; of several the youngest."""
    matching = [kind for kind in _subclasses(cast("type[Any]", Message)) if _is_message(kind, name)]
    return matching[-1] if matching else None


def _is_message(kind: type[Any], name: str) -> bool:
    return qualified_name(kind) == name and issubclass(kind, Message)


def _subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    children: list[type[Any]] = kind.__subclasses__()
    for child in children:
        yield child
        yield from _subclasses(child)
