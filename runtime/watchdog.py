"""A watchdog for the event loop: names the handler that blocks it, while it does."""

import sys
import threading
import time
from types import FrameType

import anyio

from callboard.runtime.address import Address
from callboard.runtime.handling import Handling
from callboard.runtime.logs import actor_logger
from callboard.runtime.whereabouts import place

_HANDLERS = (Handling.start_handler.__code__, Handling.see_through.__code__)


class Watchdog:
    """Watches one event loop from a thread of its own.

    The loop is expected to come round four times in the given time. If it does not, a warning is
    logged, once for each time that it is blocked: which actor, which message, which line.

    Args:
        runtime: Name of the runtime.
        threshold: Seconds that the loop may be blocked.
    """

    def __init__(self, runtime: str, threshold: float) -> None:
        if not threshold > 0:
            raise ValueError(f"watchdog must be a number of seconds > 0, got {threshold!r}")
        self._runtime = runtime
        self._threshold = threshold
        self._interval = threshold / 4
        self._beat = time.monotonic()
        self._blocked = False
        self._ended = threading.Event()
        self._scope: anyio.CancelScope | None = None
        self._watched = 0

    async def run(self) -> None:
        """Beat until closed, and have that watched."""
        self._watched = threading.get_ident()
        thread = threading.Thread(target=self._watch, name="callboard-watchdog", daemon=True)
        self._beat = time.monotonic()
        thread.start()
        try:
            with anyio.CancelScope(shield=True) as self._scope:
                while not self._ended.is_set():
                    self._beat = time.monotonic()
                    await anyio.sleep(self._interval)
        finally:
            self._ended.set()

    def close(self) -> None:
        """Watch no more."""
        self._ended.set()
        if self._scope is not None:
            self._scope.cancel()

    def _watch(self) -> None:
        while not self._ended.wait(self._interval):
            silent = time.monotonic() - self._beat - self._interval
            if silent < self._threshold:
                self._blocked = False
            elif not self._blocked:
                self._blocked = True
                # Its name says private, its documentation says otherwise.
                frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
                frame = frames.get(self._watched)
                if frame is not None:
                    self._report(frame, silent)

    def _report(self, frame: FrameType, seconds: float) -> None:
        handler: FrameType | None = frame
        while handler is not None and handler.f_code not in _HANDLERS:
            handler = handler.f_back
        address, message = Address(self._runtime, "outside of actors"), None
        if handler is not None:
            address = handler.f_locals["self"].address
            message = handler.f_locals["envelope"].type_name
        actor_logger(address).warning(
            "event loop blocked", seconds=round(seconds, 3), message=message, at=place(frame)
        )
