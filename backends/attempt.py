"""Which try of a call this is: set by Retry, read by whoever counts or traces tries."""

from contextvars import ContextVar

_attempt: ContextVar[int] = ContextVar("callboard_attempt", default=1)


def current_attempt() -> int:
    """Return the number of the try under way in this context, counted from 1."""
    return _attempt.get()


def set_current_attempt(attempt: int) -> None:
    """Say which try is about to begin, for code that sets it back afterwards."""
    _attempt.set(attempt)
