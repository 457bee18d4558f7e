"""Handling: running the handlers of an actor. Each message that got in leaves in exactly one way.

An actor is a job for the workers while its mailbox holds something and no exclusive handler runs.
"""

import math
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import anyio

from callboard.ambient.deadline import ambient_deadline, set_ambient_deadline
from callboard.runtime.drive import resume
from callboard.runtime.envelope import Envelope, current_envelope
from callboard.runtime.handlers import Handler
from callboard.runtime.inbox import State
from callboard.runtime.kernel import Kernel
from callboard.runtime.loops import Slot
from callboard.runtime.mailbox import MailboxOptions
from callboard.runtime.outcomes import Outcomes
from callboard.runtime.workers import BATCH, Job, Worker

_RUNNING, _DRAINING = State.RUNNING, State.DRAINING
_ENDED = object()
"""What `start_handler` returns for a handler that never suspended."""


class Handling(Outcomes):
    """Takes messages from the mailbox and runs their handlers."""

    __slots__ = ("quiet",)

    def __init__(self, kernel: Kernel, path: str, options: MailboxOptions) -> None:
        super().__init__(kernel, path, options)
        self.quiet: Slot | None = None
        """Woken when a handler ends or the mailbox runs empty, where somebody waits for that."""

    @property
    def active(self) -> int:
        """Handlers that run or are suspended."""
        exclusive = self.current is not None and self.current.kind != "hook"
        return exclusive + len(self.reentrants or ())

    def start(self, worker: Worker) -> Coroutine[Any, Any, Job | None] | None:
        """Handle what is queued, a batch at most, up to the first handler that is suspended."""
        for _ in range(BATCH):
            if self.state is not _RUNNING and self.state is not _DRAINING:
                self._held_up()
                break
            envelope = self.mailbox.take()
            if envelope is None:
                self.scheduled = False
                break
            handler = self._admissible(envelope)
            if handler is not None:
                self.current = envelope
                yielded = self.start_handler(envelope, handler)
                if yielded is not _ENDED:
                    return self._finish(envelope, yielded, worker)
                self.current = None
        else:
            worker.tired = True
            self.kernel.workers.enqueue(self)
        if self.quiet is not None:
            self.settled()
        return None

    def start_reentrant(
        self, envelope: Envelope, handler: Handler, worker: Worker
    ) -> Coroutine[Any, Any, None] | None:
        """Run one reentrant handler to its end or to where it is suspended."""
        if envelope.fate is not None:
            self.bury(envelope, envelope.fate)
        elif (yielded := self.start_handler(envelope, handler)) is not _ENDED:
            return self._finish_reentrant(envelope, yielded, worker)
        self._end_reentrant(envelope)
        return None

    def settled(self) -> None:
        """Wake whoever waits for handlers to end."""
        if self.quiet is not None and not self.quiet.done():
            self.quiet.set_result(None)

    def reopen(self) -> None:
        """Handle messages again, after a start."""
        self.state = State.RUNNING
        self.scheduled = len(self.mailbox) > 0
        if self.scheduled:
            self.kernel.workers.enqueue(self)

    def _held_up(self) -> None:
        """Take note that there are messages, and that they cannot be handled now."""

    def _admissible(self, envelope: Envelope) -> Handler | None:
        """Return the handler to run now, None if there is none or it runs beside the others."""
        if envelope.fate is not None:
            self.bury(envelope, envelope.fate)
            return None
        handler = self.table.find(envelope.message.__class__)
        if handler is None:
            self.bury(envelope, "unhandled")
        elif handler.reentrant:
            self._start_reentrant(envelope, handler)
            return None
        return handler

    def start_handler(self, envelope: Envelope, handler: Handler) -> Any:
        """Run a handler to its end or to where it is suspended.

        Returns:
            `_ENDED`, or what the handler yielded to the event loop.
        """
        if self.kernel.tracer is not None:
            self.kernel.tracer.begin(envelope)
        coroutine = handler.function(self.actor, envelope.message)
        try:
            yielded = envelope.context.run(_first_step, envelope, coroutine)
        except StopIteration as stop:
            self._handled(envelope, stop.value)
        except Exception as error:  # noqa: BLE001  supervision decides what it means
            self._failed(envelope, error)
        except anyio.get_cancelled_exc_class() as error:
            self._failed(envelope, error)  # of something else: nobody cancels what has not begun
        except BaseException as error:  # noqa: BLE001  the runtime ends with it
            self._broke(envelope, error)
        else:
            envelope.coroutine = coroutine
            return yielded
        return _ENDED

    async def _finish(self, envelope: Envelope, yielded: Any, worker: Worker) -> Job | None:
        """See a suspended exclusive handler through; others may run beside it from now on.

        Returns:
            What the worker goes on with: this actor's other messages, unless it was cancelled.
        """
        try:
            if self.table.reentrant:
                self._start_waiting_reentrants()
            await self.see_through(envelope, yielded, worker)
        finally:
            self.current = None
            if worker.cancelled:
                self._pass_on()
        return None if worker.cancelled else self

    async def _finish_reentrant(self, envelope: Envelope, yielded: Any, worker: Worker) -> None:
        """See a suspended reentrant handler through."""
        try:
            await self.see_through(envelope, yielded, worker)
        finally:
            self._end_reentrant(envelope)

    async def see_through(self, envelope: Envelope, yielded: Any, worker: Worker) -> None:
        """See a suspended handler through to its end."""
        envelope.worker = worker
        worker.hand_over()
        try:
            value = await resume(envelope.context, envelope.coroutine, yielded)
        except Exception as error:  # noqa: BLE001  supervision decides what it means
            self._failed(envelope, error)
        except anyio.get_cancelled_exc_class() as error:
            if not worker.cancelled:
                # asyncio only: the handler awaited something that somebody else cancelled.
                self._failed(envelope, error)
                return
            self.bury(envelope, envelope.fate or "stopped")
            raise
        except BaseException as error:  # noqa: BLE001  the runtime ends with it
            self._broke(envelope, error)
        else:
            self._handled(envelope, value)
        finally:
            del envelope.worker

    def _arrived(self) -> None:
        if not self.scheduled:
            self.scheduled = True
            self.kernel.workers.enqueue(self)
            return
        if self.mailbox.mark is None:
            self.mailbox.mark_last(self.mailbox.queue)
        if self.table.reentrant and self.current is not None:
            self._start_waiting_reentrants()

    def _pass_on(self) -> None:
        """Let another worker go on, because this one was cancelled with its handler."""
        if self.state is _RUNNING or self.state is _DRAINING:
            self.kernel.workers.enqueue(self)
        self.settled()

    def _start_waiting_reentrants(self) -> None:
        """Start the reentrant handlers at the head of the queue, which wait for nobody."""
        while self.state is _RUNNING and (envelope := self.mailbox.peek()) is not None:
            handler = self.table.find(envelope.message.__class__)
            if handler is None or not handler.reentrant:
                return
            self.mailbox.take()
            if envelope.fate is not None:
                self.bury(envelope, envelope.fate)
            else:
                self._start_reentrant(envelope, handler)

    def _start_reentrant(self, envelope: Envelope, handler: Handler) -> None:
        if self.reentrants is None:
            self.reentrants = set()
        self.reentrants.add(envelope)
        self.mailbox.held += 1
        self.kernel.workers.enqueue(Reentrant(self, envelope, handler))

    def _end_reentrant(self, envelope: Envelope) -> None:
        if self.reentrants is not None:
            self.reentrants.discard(envelope)
            self.reentrants = self.reentrants or None
        self.mailbox.held -= 1
        if self.mailbox.blocked is not None:
            self.mailbox.admit()
            self._arrived()
        self.settled()


@dataclass(frozen=True, slots=True)
class Reentrant:
    """A job: one reentrant handler."""

    cell: Handling
    envelope: Envelope
    handler: Handler

    def start(self, worker: Worker) -> Coroutine[Any, Any, None] | None:
        """Run the handler."""
        return self.cell.start_reentrant(self.envelope, self.handler, worker)


def _first_step(envelope: Envelope, coroutine: Coroutine[Any, Any, Any]) -> Any:
    current_envelope.set(envelope)
    # Setting a context variable is the dearest step of a tell: most tells have no deadline to drop.
    if envelope.slot is not None or ambient_deadline() != math.inf:
        set_ambient_deadline(envelope.deadline)
    return coroutine.send(None)
