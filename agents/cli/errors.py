"""What a command says when it can't do what was asked, and with which status it leaves.

0 ok; 1 failure; 2 wrong usage; 4 the backend is unavailable (unreachable, overloaded, or it refuses
key or model); 130 interrupted.
"""

from callboard.backends.errors import (
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    ConnectionFailedError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
)

FAILURE, USAGE, UNAVAILABLE, INTERRUPTED = 1, 2, 4, 130

_UNAVAILABLE = (
    AuthenticationError,
    BackendTimeoutError,
    ConnectionFailedError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
)


class UsageError(Exception):
    """The command line asks for something that can't be meant; the message says what to write."""


class CommandFailedError(Exception):
    """The command could not do its work; the message says why, in one line."""


EXPECTED = (UsageError, CommandFailedError, BackendError)
"""What ends a command with one readable line instead of a traceback."""


def exit_status(error: BaseException) -> int:
    """Return the status with which a command leaves because of an error."""
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, UsageError):
        return USAGE
    return UNAVAILABLE if isinstance(error, _UNAVAILABLE) else FAILURE
