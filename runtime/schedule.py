"""Schedules: messages told later, once or periodically."""

from collections.abc import Callable
from typing import Any

from callboard.runtime.envelope import Envelope, Party
from callboard.runtime.errors import JournalRefusedError, MailboxFullError
from callboard.runtime.kernel import Kernel
from callboard.runtime.message import Message
from callboard.runtime.ref import ActorRef


class Schedule:
    """A message that is told when its time comes, until it is cancelled or no longer wanted.

    A mailbox without room makes the message a dead letter, and the schedule goes on. Periods are
    counted from the time a message was due, so they do not drift; what was missed is skipped.

    Args:
        kernel: The runtime's clock and timers.
        target: Whom to tell.
        message: What to tell.
        every: Seconds between messages; None for a single one.
        wanted: Asked before each message.
        sender: Who tells.
    """

    def __init__(
        self,
        kernel: Kernel,
        target: ActorRef,
        message: Message[Any],
        *,
        every: float | None,
        wanted: Callable[[], bool],
        sender: Party,
    ) -> None:
        if every is not None and not every > 0:
            raise ValueError(f"every must be a positive number of seconds, got {every!r}")
        self._kernel = kernel
        self._target = target
        self._message = message
        self._every = every
        self._wanted = wanted
        self._sender = sender
        self._cancelled = False
        self._due = 0.0

    def start(self, delay: float) -> None:
        """Let the first message be told after a delay.

        Raises:
            ValueError: If the delay is negative.
        """
        if not delay >= 0:
            raise ValueError(f"delay must be a number of seconds >= 0, got {delay!r}")
        self._due = self._kernel.time() + delay
        self._kernel.timers.add(self._due, self, self)

    def cancel(self) -> None:
        """Tell nothing any more."""
        self._cancelled = True

    def done(self) -> bool:
        """Return whether nothing will be told any more."""
        return self._cancelled or not self._wanted()

    def expire(self) -> None:
        """Tell the message; line up for the next."""
        self._tell()
        if self._every is None:
            self._cancelled = True
            return
        now = self._kernel.time()
        missed = max(0, int((now - self._due) / self._every))
        self._due += self._every * (missed + 1)
        self._kernel.timers.add(self._due, self, self)

    def _tell(self) -> None:
        endpoint = self._target.endpoint
        context = self._kernel.context.copy()
        envelope = Envelope(
            self._message, endpoint, "tell", None, self._sender, float("inf"), context
        )
        try:
            endpoint.post(envelope)
        except MailboxFullError:
            self._kernel.bury_rejected(envelope, "mailbox_full")
        except JournalRefusedError:
            self._kernel.bury_rejected(envelope, "not_journalled")
