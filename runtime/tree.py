"""The supervision tree, as a value that prints."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callboard.runtime.address import Address
from callboard.runtime.statistics import MailboxStatistics


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorNode:
    """One actor of the tree."""

    address: Address
    """Where it lives."""
    kind: str
    """Name of its class."""
    state: str
    """starting, running, restarting, draining or closing."""
    mailbox: MailboxStatistics
    """The numbers of its mailbox."""
    active: int
    """Handlers at work."""
    restarts: int
    """Restarts so far."""
    children: tuple["ActorNode", ...] = ()
    """Its children, oldest first."""

    def __str__(self) -> str:
        return "\n".join(_draw(self))

    @property
    def summary(self) -> str:
        """The actor in one line."""
        box = self.mailbox
        queue = f"queued {box.depth}"
        if box.depth:
            queue += f" (oldest {box.oldest_age:.3g} s, most {box.high_water})"
        extras = ((box.blocked, "blocked"), (box.dropped, "dropped"))
        rest = "".join(f", {word} {count}" for count, word in extras if count)
        return (
            f"{self.address.name} ({self.kind}) {self.state}, {queue}, "
            f"active {self.active}, restarts {self.restarts}{rest}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorTree:
    """All living actors of a runtime."""

    runtime: str
    """Name of the runtime."""
    actors: tuple[ActorNode, ...]
    """The top-level actors, oldest first."""

    def __str__(self) -> str:
        return "\n".join([self.runtime, *_draw_all(self.actors)])


def _draw(node: ActorNode) -> Iterator[str]:
    yield node.summary
    yield from _draw_all(node.children)


def _draw_all(nodes: Sequence[ActorNode]) -> Iterator[str]:
    """Yield one line per actor, each family as a branch."""
    for node in nodes:
        last = node is nodes[-1]
        first, *rest = _draw(node)
        yield ("└── " if last else "├── ") + first
        for line in rest:
            yield ("    " if last else "│   ") + line
