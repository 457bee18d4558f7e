"""Rehearsals: one actor in a runtime of its own, where only the journal speaks to it."""

from typing import Any, Generic, TypeVar, cast

from callboard.runtime.actor import Actor
from callboard.runtime.cell import Cell
from callboard.runtime.envelope import Envelope
from callboard.runtime.mailbox import Mailbox
from callboard.runtime.ref import ActorRef

A = TypeVar("A", bound=Actor)


class RehearsalMailbox(Mailbox):
    """Takes the message that is being replayed, and makes dead letters of all others.

    What the actor, its timers or its children told it stands in the journal, too: it will come in
    its turn, and must not come twice.
    """

    __slots__ = ("_cell", "_expected")

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell.mailbox.options, cell.kernel.mail_room)
        self._cell = cell
        self._expected: Any = None

    def expect(self, message: Any) -> None:
        """Take this message next."""
        self._expected = message

    def put(self, envelope: Envelope) -> bool:
        """Take the envelope in if it holds the expected message."""
        if envelope.message is self._expected:
            self._expected = None
            return super().put(envelope)
        self._cell.kernel.accept(envelope)
        self._cell.bury(envelope, "stopped")
        return True


class Rehearsal(Generic[A]):
    """Plays one message after the other to an actor that hears nothing else.

    Args:
        ref: The actor, just spawned in a runtime that nobody else uses.
    """

    def __init__(self, ref: ActorRef) -> None:
        self._ref = ref
        self._cell = cast("Cell", ref.endpoint)
        self._mailbox = RehearsalMailbox(self._cell)
        self._cell.mailbox = self._mailbox

    @property
    def actor(self) -> A:
        """The actor itself."""
        return cast("A", self._cell.actor)

    async def play(self, message: Any) -> Any:
        """Have the actor handle a message, and return its reply; bound the time from outside.

        Raises:
            Exception: Whatever an ask raises.
        """
        self._mailbox.expect(message)
        return await self._ref.ask(message)
