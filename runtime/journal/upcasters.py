"""Upcasters: what turns the messages of yesterday's journals into those of today's classes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
"""A message as plain JSON values, by field."""
Upcast = Callable[[Body], Body]
"""Returns a body of the next version; it may change the one that it is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMessage:
    """What a journal says about a message, before it is one again."""

    name: str
    """Qualified name of its class, `module.Class`."""
    version: int
    """The class's `schema_version`."""
    body: Any
    """Plain JSON values."""


class Upcasters:
    """A registry of steps: one per message and version, each to the next version.

        upcasters = Upcasters()

        @upcasters.register("shop.orders.Add", version=1)
        def _(body: Body) -> Body:
            return {"amount": body["n"]}

        upcasters.rename("shop.Add", "shop.orders.Add")

    Steps follow one another: a message of version 1 goes through the step for 1, then that for 2,
    until there is none. A name is changed before the steps of the new name apply.
    """

    def __init__(self) -> None:
        self._steps: dict[tuple[str, int], Upcast] = {}
        self._names: dict[str, str] = {}

    def register(self, name: str, version: int) -> Callable[[Upcast], Upcast]:
        """Declare a function that takes bodies of a version to the next one.

        Args:
            name: Qualified name of the message's class.
            version: The version of the bodies that it is given.

        Raises:
            ValueError: There is a step for this version already.
        """

        def add(upcast: Upcast) -> Upcast:
            if (name, version) in self._steps:
                raise ValueError(f"version {version} of {name} has an upcaster already")
            self._steps[name, version] = upcast
            return upcast

        return add

    def rename(self, old: str, new: str) -> None:
        """Read messages under the name that their class has now.

        Raises:
            ValueError: The old name leads elsewhere already, or the new one leads back to it.
        """
        if old in self._names:
            raise ValueError(f"{old} is renamed to {self._names[old]} already")
        if self._latest(new) == old:
            raise ValueError(f"renaming {old} to {new} would go round in a circle")
        self._names[old] = new

    def apply(self, recorded: RecordedMessage) -> RecordedMessage:
        """Return the message as its class has it today, as far as there are steps."""
        name, version, body = self._latest(recorded.name), recorded.version, recorded.body
        while (step := self._steps.get((name, version))) is not None:
            body = step(body)
            version += 1
        return RecordedMessage(name=name, version=version, body=body)

    def _latest(self, name: str) -> str:
        while name in self._names:
            name = self._names[name]
        return name
