"""The supervision tree, as a value that prints."""

from collections.abc import Iterator
from dataclasses import dataclass

from callboard.runtime.address import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorNode:
    """One actor of the tree."""

    address: Address
    """Where it lives."""
    kind: str
    """Name of its class."""
    state: str
    """starting, running, restarting, draining or closing."""
    queued: int
    """Messages in its mailbox."""
    active: int
    """Handlers at work."""
    restarts: int
    """Restarts so far."""
    children: tuple["ActorNode", ...] = ()
    """Its children, oldest first."""

    def lines(self, indent: str = "") -> Iterator[str]:
        """Yield one line per actor, children indented."""
        yield (
            f"{indent}{self.address.name} ({self.kind}) {self.state}, "
            f"queued {self.queued}, active {self.active}, restarts {self.restarts}"
        )
        for child in self.children:
            yield from child.lines(indent + "  ")

    def __str__(self) -> str:
        return "\n".join(self.lines())


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorTree:
    """All living actors of a runtime."""

    runtime: str
    """Name of the runtime."""
    actors: tuple[ActorNode, ...]
    """The top-level actors, oldest first."""

    def __str__(self) -> str:
        lines = [self.runtime]
        for actor in self.actors:
            lines.extend(actor.lines("  "))
        return "\n".join(lines)
