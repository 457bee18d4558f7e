"""Outcomes: what becomes of a message, and of its asker, when its handler has ended."""

from typing import Any

from callboard.runtime.actor import Actor
from callboard.runtime.envelope import Envelope, Failure
from callboard.runtime.errors import HandlerError
from callboard.runtime.inbox import Inbox
from callboard.runtime.kernel import Kernel
from callboard.runtime.loops import Slot
from callboard.runtime.mailbox import MailboxOptions


class Outcomes(Inbox):
    """Counts, answers, traces. A failure that is none of these three goes to supervision."""

    __slots__ = ("actor",)

    def __init__(self, kernel: Kernel, path: str, options: MailboxOptions) -> None:
        super().__init__(kernel, path, options)
        self.actor: Actor | None = None
        """The incarnation that handles messages; None while there is none."""

    def _crashed(self, error: BaseException) -> None:
        raise NotImplementedError

    def _handled(self, envelope: Envelope, value: Any) -> None:
        kernel = self.kernel
        kernel.counters.handled += 1
        slot = envelope.slot
        if slot is not None:
            if slot.done():
                self._late(envelope)
            else:
                slot.set_result(value)
        if kernel.tracer is not None:
            kernel.tracer.end(envelope, "handled")
        envelope.release()

    def _failed(self, envelope: Envelope, error: BaseException) -> None:
        kernel, slot = self.kernel, envelope.slot
        if slot is not None and isinstance(error, self._reply_errors()):
            kernel.counters.handled += 1
            self._reply(envelope, slot, Failure(error))
            self._end_trace(envelope, "handled", error)
            return
        expired = isinstance(error, TimeoutError) and kernel.time() >= envelope.deadline
        if self.mailbox.options.redeliver and not expired and not (slot and slot.done()):
            self._try_again(envelope, error)
            return
        kernel.counters.failed += 1
        if slot is not None:
            wrapped = HandlerError(self.address, envelope.type_name, error)
            self._reply(envelope, slot, Failure(wrapped))
        self._end_trace(envelope, "failed", error)
        if not expired:
            self._crashed(error)

    def _try_again(self, envelope: Envelope, error: BaseException) -> None:
        """Put a message that failed back, or into quarantine if that was often enough."""
        kernel = self.kernel
        envelope.failures = getattr(envelope, "failures", 0) + 1
        if envelope.failures > self.mailbox.options.redeliver:
            if envelope.slot is not None:
                wrapped = HandlerError(self.address, envelope.type_name, error)
                envelope.slot.set_result(Failure(wrapped))
            self.bury(envelope, "poison")
        else:
            kernel.counters.redelivered += 1
            if kernel.tracer is not None:
                kernel.tracer.end(envelope, "redelivered", error)
            self.mailbox.put_back(envelope)
        self._crashed(error)

    def _broke(self, envelope: Envelope, error: BaseException) -> None:
        # KeyboardInterrupt, SystemExit: not a failure of this actor, but the end of the program.
        self.bury(envelope, "stopped")
        self.kernel.abort(error)

    def _reply(self, envelope: Envelope, slot: Slot, outcome: Any) -> None:
        if slot.done():
            self._late(envelope)
        else:
            slot.set_result(outcome)

    def _late(self, envelope: Envelope) -> None:
        self.kernel.counters.late_replies += 1
        self.kernel.dead_letters.add(envelope, "late_reply")

    def _reply_errors(self) -> tuple[type[BaseException], ...]:
        return () if self.actor is None else self.actor.reply_errors

    def _end_trace(self, envelope: Envelope, outcome: str, error: BaseException) -> None:
        if self.kernel.tracer is not None:
            self.kernel.tracer.end(envelope, outcome, error)
        envelope.release()
