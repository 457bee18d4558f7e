"""Signals: SIGINT and SIGTERM end a runtime in good order, the second one at once."""

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Signals:
    """Catches signals while it is entered, and puts back what handled them before.

    The first signal asks for an orderly end, the second one for an end without delay. If the event
    loop has not even noticed the first one, because something blocks it, the second one raises
    KeyboardInterrupt right there. From the third one on signals do what they always do.

    Args:
        wake: Have the event loop call something soon; safe to call from anywhere.
        first: What to do at the first signal.
        second: What to do at the second.
    """

    def __init__(
        self,
        wake: Callable[[Callable[[], None]], object],
        first: Callable[[signal.Signals], None],
        second: Callable[[], None],
    ) -> None:
        self._wake = wake
        self._first = first
        self._second = second
        self._before: dict[signal.Signals, Any] = {}
        self._count = 0
        self._noticed = False

    def __enter__(self) -> Self:
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError(
                "signals reach the main thread only: leave out signals=True in a Runtime that is "
                "entered in another one, and stop it from the main thread"
            )
        for number in SIGNALS:
            self._before[number] = signal.signal(number, self._received)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _received(self, number: int, frame: FrameType | None) -> None:
        del frame
        self._count += 1
        if self._count == 1:
            self._wake(lambda: self._notice(signal.Signals(number)))
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if not self._noticed:
            raise KeyboardInterrupt
        self._wake(self._second)

    def _notice(self, number: signal.Signals) -> None:
        self._noticed = True
        self._first(number)


def farewell_for(number: signal.Signals) -> BaseException:
    """Return what a program that was ended by a signal raises, after it has ended in order."""
    return KeyboardInterrupt() if number is signal.SIGINT else SystemExit(128 + number)
