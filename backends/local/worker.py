"""Worker: the one thread that owns the model, and the queue in front of it."""

import atexit
import os
import threading
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import anyio.to_thread
from anyio import CancelScope

from callboard.backends.local.errors import EngineEnd, EngineError
from callboard.backends.local.job import Job

EXIT_PATIENCE = 10.0
"""Seconds that a process on its way out waits for the step at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _End:
    """Why there is no thread any more; every waiter gets an error of its own from it."""

    message: str
    reason: EngineEnd
    cause: BaseException | None = None

    def error(self) -> EngineError:
        error = EngineError(self.message, reason=self.reason)
        error.__cause__ = self.cause
        return error


_CLOSED = _End(message="the LocalBackend is closed: make a new one", reason="closed")


class Worker:
    """One thread, one job at a time, in the order of their submission.

    What a job raises is that job's own affair. Should the thread die all the same, or be stopped,
    the running job and all that wait fail at once with an EngineError, and so does every later one.
    The thread starts with the first job; it ends when stopped, at the latest with the process.

    Args:
        name: The thread's name, for debuggers.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: SimpleQueue[Job[Any, Any] | None] = SimpleQueue()
        # Reentrant: the garbage collector may stop a worker from wherever it happens to run.
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._process = 0
        self._current: Job[Any, Any] | None = None
        self._end: _End | None = None

    def submit(self, job: Job[Any, Any]) -> None:
        """Queue a job behind those that wait already; never blocks.

        Raises:
            EngineError: If the thread was stopped, died, or stayed behind in a parent process.
        """
        if self._thread is not None and self._process != os.getpid():
            raise EngineError(
                f"the model's thread lives in process {self._process}, and this is its fork "
                f"{os.getpid()}: make the LocalBackend in the process that uses it",
                reason="forked",
            )
        with self._lock:
            if self._end is not None:
                raise self._end.error()
            if self._thread is None:
                self._start()
            self._queue.put(job)

    def stop(self) -> None:
        """Fail every job and let the thread end after the step it is at; safe from any thread."""
        self._finish(_CLOSED)
        self._queue.put(None)

    def join(self, timeout: float | None = None) -> None:
        """Wait until the thread has ended.

        Args:
            timeout: Seconds to wait at most; None waits as long as its last step takes.
        """
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)

    async def aclose(self) -> None:
        """Stop, and wait for the thread to end, cancelled or not: no more than a model's step."""
        self.stop()
        with CancelScope(shield=True):
            await anyio.to_thread.run_sync(self.join)

    def _start(self) -> None:
        self._process = os.getpid()
        # A daemon, so that a forgotten backend never keeps a process alive; yet torch must not be
        # cut off in the middle of a step, and so the exit waits for it.
        self._thread = threading.Thread(target=self._serve, name=self._name, daemon=True)
        atexit.register(self._exit)
        self._thread.start()

    def _exit(self) -> None:
        if self._process == os.getpid():  # a fork inherits this call, but not the thread
            self.stop()
            self.join(EXIT_PATIENCE)

    def _serve(self) -> None:
        try:
            while (job := self._queue.get()) is not None:
                self._run(job)
                del job  # an idle thread keeps no request alive
        except BaseException as error:  # noqa: BLE001 - the thread is over: its waiters must know
            self._finish(_died(error))
        finally:
            atexit.unregister(self._exit)

    def _run(self, job: Job[Any, Any]) -> None:
        self._current = job
        # Looked at after the job is in sight of `stop`, which reads the two in the other order.
        if self._end is not None:
            job.fail(self._end.error())
        job.run()
        self._current = None

    def _finish(self, end: _End) -> None:
        with self._lock:
            self._end = end = self._end or end
        if (current := self._current) is not None:
            current.fail(end.error())
        while True:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return
            if waiting is not None:
                waiting.fail(end.error())


def _died(cause: BaseException) -> _End:
    what = f"{type(cause).__name__}: {cause}"
    message = f"the model's thread died of {what}; make a new LocalBackend"
    return _End(message=message, reason="died", cause=cause)
