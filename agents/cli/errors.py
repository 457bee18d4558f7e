"""What a command says when it can't do what was asked, and with which status it leaves.

The backend counts as unavailable where it is unreachable or overloaded, or refuses key or model.
"""

from callboard.agents.cli.exit_status import FAILURE, INTERRUPTED, UNAVAILABLE, USAGE
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
