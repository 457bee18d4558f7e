"""A mailbox that says what it lets in; only runtimes with a journal have such."""

from collections import deque

from callboard.runtime.envelope import Envelope
from callboard.runtime.mailbox import Mailbox, MailboxOptions
from callboard.runtime.observer import Recorder
from callboard.runtime.statistics import Counters


class ObservedMailbox(Mailbox):
    """A Mailbox whose journal is told of each envelope that gets in."""

    __slots__ = ("_journal",)

    def __init__(
        self,
        options: MailboxOptions,
        counters: Counters,
        spare: list[deque[Envelope]],
        journal: Recorder,
    ) -> None:
        super().__init__(options, counters, spare)
        self._journal = journal

    def put(self, envelope: Envelope) -> bool:
        """Take the envelope in if there is room; return whether there was."""
        if not super().put(envelope):
            return False
        self._journal.accepted(envelope)
        return True

    def force(self, envelope: Envelope) -> None:
        """Take the envelope in, room or not."""
        super().force(envelope)
        self._journal.accepted(envelope)
