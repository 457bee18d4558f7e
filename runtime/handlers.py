"""The table that says which method of an actor class handles which message."""

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from callboard.runtime.message import HANDLES, Handles, qualified_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """A method and how it is run."""

    function: Callable[[Any, Any], Coroutine[Any, Any, Any]]
    """The undecorated method of the class: call it with the actor and the message."""
    reentrant: bool
    """Whether it may run beside other handlers."""


class HandlerTable:
    """The handlers of one actor class, by name of the message and, once seen, by its class."""

    __slots__ = ("_by_name", "_by_type", "reentrant")

    def __init__(self, by_name: dict[str, Handler]) -> None:
        self._by_name = by_name
        self._by_type: dict[type, Handler | None] = {}
        self.reentrant = any(handler.reentrant for handler in by_name.values())
        """Whether any handler is reentrant."""

    def find(self, kind: type) -> Handler | None:
        """Return the handler for a message class, or for the nearest of its bases that has one."""
        try:
            return self._by_type[kind]
        except KeyError:
            return self._look_up(kind)

    @property
    def messages(self) -> tuple[str, ...]:
        """Class names of the messages that have a handler."""
        return tuple(name.rpartition(".")[2] for name in self._by_name)

    def _look_up(self, kind: type) -> Handler | None:
        names = map(qualified_name, kind.__mro__)
        found = next((self._by_name[name] for name in names if name in self._by_name), None)
        self._by_type[kind] = found
        return found


def collect_handlers(owner: type) -> HandlerTable:
    """Return the handlers of an actor class, inherited ones included.

    A method that overrides a handler need not be decorated again.

    Raises:
        TypeError: If a handler is not async, or two methods of a class handle one message.
    """
    handles: dict[str, tuple[Handles, ...]] = {}
    for base in reversed(owner.__mro__):
        for name, member in vars(base).items():
            if marks := getattr(member, HANDLES, ()):
                handles[name] = marks
    by_name: dict[str, Handler] = {}
    methods: dict[str, str] = {}
    for name, marks in handles.items():
        function = _async_method(owner, name)
        for mark in marks:
            if mark.message in methods:
                raise TypeError(
                    f"{owner.__name__} handles {mark.message} twice, in {methods[mark.message]} "
                    f"and in {name}; override the method of that name instead"
                )
            methods[mark.message] = name
            by_name[mark.message] = Handler(function=function, reentrant=mark.reentrant)
    return HandlerTable(by_name)


def _async_method(owner: type, name: str) -> Any:
    function = getattr(owner, name)
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f"{owner.__name__}.{name} handles a message, so it must be `async def`")
    return function
