"""Several observers that look like one."""

from callboard.runtime.envelope import Envelope
from callboard.runtime.observer import Observer


class Observers:
    """Tells each observer in turn. The last one may refuse what is sent."""

    __slots__ = ("_observers",)

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def sent(self, envelope: Envelope) -> None:
        """Tell each."""
        for observer in self._observers:
            observer.sent(envelope)

    def begin(self, envelope: Envelope) -> None:
        """Tell each."""
        for observer in self._observers:
            observer.begin(envelope)

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Tell each."""
        for observer in self._observers:
            observer.end(envelope, outcome, error)
