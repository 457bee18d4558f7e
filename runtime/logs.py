"""Loggers of actors; structlog is imported when something is to be logged, not before."""

import traceback
from typing import Any

from callboard.runtime.address import Address


def actor_logger(address: Address) -> Any:
    """Return a structlog logger bound to an actor's address."""
    import structlog  # noqa: PLC0415  most programs never log here, and importing costs 30 ms

    return structlog.get_logger("callboard.runtime").bind(actor=str(address))


def log_failure(address: Address, event: str, error: BaseException, **fields: Any) -> None:
    """Log an actor's failure with its traceback, which never shows the values of variables."""
    exception = "".join(traceback.format_exception(error)).rstrip()
    actor_logger(address).error(event, error=repr(error), exception=exception, **fields)
