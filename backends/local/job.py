"""Job: one call's way through the model's thread, from the loop that asks and back to it."""

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, NoReturn, TypeVar

import anyio

from callboard.backends.local.wake import Wake

P = TypeVar("P")
R = TypeVar("R")


class JobCancelledError(Exception):
    """Raised inside the work at a step boundary when nobody waits for it any more."""


class Job(Generic[P, R]):
    """Work for the model's thread; pieces of type P come back while it runs, and one R at its end.

    The pieces reach the waiter in order and none is lost. However many arrive before the loop gets
    round to them, they cost it one wake-up. A loop that closed while the work ran cancels it.

    Args:
        work: Runs on the model's thread; calls `check` at every step, and `emit` as it likes.
        wake: The way back into the waiting loop.
    """

    def __init__(self, work: "Callable[[Job[P, R]], R]", wake: Wake) -> None:
        self._work = work
        self._wake = wake
        self._pieces: deque[P] = deque()
        self._outcome: Callable[[], R] | None = None
        self._ring = anyio.Event()
        self._ringing = False
        self.cancelled = False
        """Whether the work is to end at its next step."""

    # The thread's side.

    def run(self) -> None:
        """Do the work, unless nobody waits for it; whatever Exception it raises is its outcome."""
        if self.cancelled:
            return
        try:
            result = self._work(self)
        except JobCancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - the waiter raises it, the thread lives on
            self._end(_raising(error))
        else:
            self._end(lambda: result)

    def check(self) -> None:
        """End the work here if nobody waits for it.

        Raises:
            JobCancelledError: If so; let it through.
        """
        if self.cancelled:
            raise JobCancelledError

    def emit(self, piece: P) -> None:
        """Send a piece to the waiter; never blocks."""
        self._pieces.append(piece)
        self._call_back()

    def fail(self, error: Exception) -> None:
        """End the job from outside, from any thread; the first outcome holds."""
        self.cancelled = True
        self._end(_raising(error))

    # The loop's side.

    async def wait(self, sink: Callable[[P], Awaitable[None]]) -> R:
        """Hand every piece to the sink, then return the result.

        Leaving early, by cancellation or because the sink raised, cancels the work: the thread is
        free again after the step that it is at.

        Raises:
            Exception: What the work raised, what the job was failed with, or what the sink raised.
        """
        try:
            return await self._receive(sink)
        finally:
            self.cancelled = True

    async def _receive(self, sink: Callable[[P], Awaitable[None]]) -> R:
        while True:
            await self._ring.wait()
            self._ring = anyio.Event()
            outcome = self._outcome  # before the pieces: what came before it is then among them
            while self._pieces:
                await sink(self._pieces.popleft())
            if outcome is not None:
                return outcome()

    def _end(self, outcome: Callable[[], R]) -> None:
        if self._outcome is None:
            self._outcome = outcome
            self._call_back()

    def _call_back(self) -> None:
        if self._ringing:
            return
        self._ringing = True
        try:
            self._wake(self._answer)
        except RuntimeError:  # the loop is closed: there is nobody to tell
            self.cancelled = True

    def _answer(self) -> None:
        self._ringing = False
        self._ring.set()


def _raising(error: Exception) -> Callable[[], NoReturn]:
    def outcome() -> NoReturn:
        raise error

    return outcome
