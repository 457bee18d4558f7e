"""The terms on which an actor lives: how it is restarted and bounded."""

from dataclasses import dataclass

from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.supervision import Restart, Supervision


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What `spawn` was told about an actor."""

    mailbox: MailboxOptions
    """Bound and overflow policy of its mailbox."""
    restart: Restart
    """Whether it starts anew after a failure."""
    supervision: Supervision
    """How its failures are met, and those of children without terms of their own."""
