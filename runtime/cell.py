"""Cells: one actor with its place in the family, seen from the runtime.

The life of the actor (start, restart, stop) is its keeper's business:
`callboard.runtime.lifecycle`.
"""

from collections.abc import Callable
from typing import Any, Protocol

import anyio

from callboard.runtime.behaviour import Behaviour
from callboard.runtime.farewell import Farewell
from callboard.runtime.handling import Handling
from callboard.runtime.inbox import State
from callboard.runtime.kernel import Kernel
from callboard.runtime.loops import Slot
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.ref import ActorRef
from callboard.runtime.supervision import FRESH, History, Restart, Supervision
from callboard.runtime.terms import Shutdown, Terms


class Keeper(Protocol):
    """Who starts, restarts and ends actors."""

    def crashed(self, cell: "Cell", error: BaseException) -> None:
        """A handler raised."""
        ...

    def wake(self, cell: "Cell") -> None:
        """A message has come for an actor that was passivated."""
        ...

    async def stop(self, cell: "Cell", timeout: float) -> None:
        """End the actor and wait for it."""
        ...

    def watch(self, watcher: "Cell", watched: "Cell") -> None:
        """Deliver a Down to the watcher when the watched ends."""
        ...

    async def spawn(
        self,
        parent: "Cell | None",
        factory: Callable[..., Behaviour],
        args: tuple[Any, ...],
        name: str | None,
        terms: Terms,
    ) -> "Cell":
        """Start an actor."""
        ...


class Cell(Handling):
    """One actor, seen from the runtime."""

    __slots__ = (
        "args",
        "children",
        "factory",
        "farewell",
        "history",
        "incarnation",
        "keeper",
        "parent",
        "saved",
        "scope",
        "terms",
        "watchers",
    )

    def __init__(
        self,
        kernel: Kernel,
        keeper: Keeper,
        parent: "Cell | None",
        path: str,
        factory: Callable[..., Behaviour],
        args: tuple[Any, ...],
        terms: Terms,
    ) -> None:
        super().__init__(kernel, path, terms.mailbox)
        self.keeper = keeper
        self.parent = parent
        self.factory = factory
        self.args = args
        self.terms = terms
        self.incarnation = 0
        self.history: History = FRESH
        self.saved: Any = None
        """The snapshot for the next incarnation, while there is none."""
        self.children: dict[str, Cell] | None = None
        self.watchers: dict[Cell | Slot, None] | None = None
        self.farewell: Farewell | None = None
        self.scope: anyio.CancelScope | None = None
        """Around the step of a start or restart that is being taken."""

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.state is not State.STOPPED

    @property
    def kind(self) -> str:
        """Name of its class, as far as that can be known."""
        if self.actor is not None:
            return type(self.actor).__name__
        return getattr(self.factory, "__name__", type(self.factory).__name__)

    @property
    def depth(self) -> int:
        """Messages that wait for it."""
        return len(self.mailbox)

    async def spawn_child(
        self,
        factory: Callable[..., Behaviour],
        args: tuple[Any, ...],
        *,
        name: str | None,
        mailbox: MailboxOptions | None,
        restart: Restart,
        supervision: Supervision | None,
        shutdown: Shutdown,
        passivate_after: float | None,
    ) -> ActorRef:
        """Start a child; it inherits the terms of supervision."""
        terms = Terms(
            mailbox=mailbox or MailboxOptions(),
            restart=restart,
            supervision=supervision or self.terms.supervision,
            shutdown=shutdown,
            passivate_after=passivate_after,
        )
        return ActorRef(await self.keeper.spawn(self, factory, args, name, terms))

    def watch(self, ref: ActorRef) -> None:
        """Have a Down delivered when another actor ends."""
        endpoint = ref.endpoint
        assert isinstance(endpoint, Cell), "references lead to cells"  # noqa: S101  an invariant
        self.keeper.watch(self, endpoint)

    async def stop(self, timeout: float) -> None:
        """End the actor and wait for its end."""
        await self.keeper.stop(self, timeout)

    def _crashed(self, error: BaseException) -> None:
        self.keeper.crashed(self, error)

    def _held_up(self) -> None:
        if self.state is State.PASSIVE:
            self.keeper.wake(self)
