"""Blocked: a message that found no room, and its sender who waits for some."""

from dataclasses import dataclass

from callboard.runtime.envelope import Envelope
from callboard.runtime.loops import Slot


@dataclass(slots=True, eq=False)
class Blocked:
    """A message whose sender waits for room."""

    envelope: Envelope
    room: Slot | None
    """Wakes a teller when its message is in; an asker waits for the reply alone."""

    @property
    def slot(self) -> Slot:
        """What the sender waits on."""
        slot = self.envelope.slot if self.room is None else self.room
        assert slot is not None, "whoever lines up, waits"  # noqa: S101  an invariant of `wait`
        return slot

    def expire(self) -> None:
        """Tell the recipient that the sender waits no longer."""
        self.envelope.recipient.expired(self.envelope)
