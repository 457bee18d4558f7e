"""What the actors of one runtime share: its clock, queue, timers, counters and records."""

from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any

from callboard.runtime.address import Address
from callboard.runtime.dead_letters import DeadLetters, Reason
from callboard.runtime.envelope import Envelope, Party
from callboard.runtime.errors import ActorError
from callboard.runtime.loops import Loop
from callboard.runtime.mail_room import MailRoom
from callboard.runtime.observer import Observer, Recorder
from callboard.runtime.slow_consumers import SlowConsumers
from callboard.runtime.statistics import Counters
from callboard.runtime.timers import Timers
from callboard.runtime.topics import Subscriptions
from callboard.runtime.workers import Workers


class Kernel:
    """The shared world of the actors of one runtime. It knows no actor by name."""

    __slots__ = (
        "__weakref__",
        "abort",
        "closing",
        "context",
        "counters",
        "dead_letters",
        "gate",
        "journal",
        "mail_room",
        "make_slot",
        "name",
        "numbers",
        "subscriptions",
        "time",
        "timers",
        "tracer",
        "workers",
    )

    def __init__(
        self,
        *,
        name: str,
        loop: Loop,
        workers: Workers,
        context: Context,
        dead_letters: DeadLetters,
        tracer: Observer | None,
        journal: Recorder | None = None,
        abort: Callable[[BaseException], None],
    ) -> None:
        self.name = name
        self.make_slot = loop.make_slot
        self.time = loop.time
        self.workers = workers
        self.context = context
        """The context in which the runtime was entered; copied for what no message caused."""
        self.timers = Timers(loop)
        self.counters = Counters()
        self.dead_letters = dead_letters
        self.subscriptions: Subscriptions[Any] = Subscriptions()
        self.tracer = tracer
        """Is told of every message, where anybody is: spans, a journal, or both."""
        self.journal = journal
        self.gate = journal if journal is not None and journal.holds_back else None
        """The journal, if senders wait for it before they go on."""
        self.abort = abort
        """End the whole runtime with an error."""
        self.numbers = count(1)
        """For names of actors that were given none."""
        self.mail_room = MailRoom(
            counters=self.counters,
            clock=loop.time,
            complain=SlowConsumers(loop.time).complain,
        )
        self.closing = False

    def close(self) -> None:
        """End what runs in the background."""
        self.workers.close()
        self.timers.close()

    def address(self, path: str) -> Address:
        """Return the address of a path in this runtime."""
        return Address(self.name, path)

    def control(self, message: Any, recipient: Party) -> Envelope:
        """Return an envelope for a message that the runtime itself sends."""
        return Envelope(
            message, recipient, "control", None, None, float("inf"), self.context.copy()
        )

    def accept(self, envelope: Envelope) -> None:
        """Count a message that gets in without a mailbox."""
        self.counters.accepted += 1
        if self.journal is not None:
            self.journal.accepted(envelope)

    def bury_rejected(self, envelope: Envelope, reason: Reason) -> None:
        """Make a rejected message a dead letter where its sender is not told: it is accepted."""
        self.counters.rejected -= 1
        self.accept(envelope)
        self.bury(envelope, reason)

    def sent(self, envelope: Envelope) -> None:
        """Tell the observers that a message is being sent; call it only where there are any.

        Raises:
            JournalRefusedError: The journal can't keep it.
        """
        assert self.tracer is not None, "called where there is one"  # noqa: S101  an invariant
        try:
            self.tracer.sent(envelope)
        except ActorError:
            self.counters.rejected += 1
            raise

    def bury(self, envelope: Envelope, reason: Reason) -> None:
        """Make an accepted message a dead letter."""
        self.counters.dead += 1
        self.dead_letters.add(envelope, reason)
        if self.tracer is not None:
            self.tracer.end(envelope, reason)
        envelope.release()
