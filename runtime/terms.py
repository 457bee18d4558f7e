"""The terms on which an actor lives: how it is restarted, bounded, ended and put to rest."""

from dataclasses import dataclass
from typing import Literal

from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.supervision import Restart, Supervision

Shutdown = float | Literal["kill"] | None
"""How an actor ends when its parent, its group or the runtime ends it.

Seconds to handle what is queued (for the restart of a group: to finish what is being handled), as
far as whoever ends it allows; "kill" cancels at once and runs no `on_stop`; None takes what there
is: the time that an end allows, none for a restart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What `spawn` was told about an actor."""

    mailbox: MailboxOptions
    """Bound and overflow policy of its mailbox."""
    restart: Restart
    """Whether it starts anew after a failure."""
    supervision: Supervision
    """How its failures are met, and those of children without terms of their own."""
    shutdown: Shutdown = None
    """How it ends when others end it."""
    passivate_after: float | None = None
    """Seconds of idleness after which it is put to rest until its next message; None for never."""

    def __post_init__(self) -> None:
        if isinstance(self.shutdown, int | float) and not self.shutdown >= 0:
            raise ValueError(f"shutdown must be seconds >= 0 or 'kill', got {self.shutdown!r}")
        if self.passivate_after is not None and not self.passivate_after > 0:
            raise ValueError(f"passivate_after must be seconds > 0, got {self.passivate_after!r}")

    def patience(self, allowed: float) -> float:
        """Return the seconds for what is queued when others end the actor.

        Args:
            allowed: What whoever ends it allows.
        """
        if self.shutdown is None:
            return allowed
        return 0.0 if self.shutdown == "kill" else min(self.shutdown, allowed)

    @property
    def last_chance(self) -> float:
        """Seconds for what is being handled when a restart ends the actor."""
        return self.patience(0.0 if self.shutdown is None else float("inf"))
