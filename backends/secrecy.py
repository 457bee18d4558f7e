"""Hides the very secrets that a call was made with, where a server echoes them.

`redact` knows secrets by their looks; this knows them.
"""

from collections.abc import Iterable

from callboard.ambient.redaction import MASK
from callboard.backends.errors import BackendError

SHORTEST = 6
"""Characters of a secret; shorter ones are words such as `none` or `unused`."""


def hide(error: BackendError, secrets: Iterable[str]) -> None:
    """Take secrets out of an error's message, body and request id.

    Args:
        error: Changed in place.
        secrets: What the call was made with.
    """
    for secret in secrets:
        if len(secret) > SHORTEST:
            error.args = tuple(_without(value, secret) for value in error.args)
            error.body = _without(error.body, secret)
            error.request_id = _without(error.request_id, secret)


def _without(value: str | None, secret: str) -> str | None:
    return value.replace(secret, MASK) if isinstance(value, str) else value
