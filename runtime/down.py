"""Down: the message that tells a watcher that an actor has ended."""

from dataclasses import dataclass
from typing import Literal

from callboard.runtime.address import Address
from callboard.runtime.message import Message
from callboard.runtime.ref import ActorRef

Ending = Literal["stopped", "failed"]
"""Why an actor ended: somebody stopped it, or it failed for good."""


@dataclass(frozen=True, slots=True)
class Down(Message[None]):
    """An actor that was watched has ended. One comes for each watch, and none before the end."""

    ref: ActorRef
    """The actor that ended."""
    reason: Ending
    """Why it ended."""
    error: BaseException | None = None
    """The last failure, where it failed."""

    @property
    def address(self) -> Address:
        """The address of the actor that ended."""
        return self.ref.address
