"""What is logged of actors, by themselves and by the runtime, which logs no secrets."""

import traceback
from typing import Any

from callboard.ambient.event_log import EventLog, EventLogger
from callboard.ambient.redaction import redact
from callboard.runtime.address import Address

NAME = "callboard.runtime"
"""The loggers' name, for structlog and for the standard library."""


def own_logger(address: Address) -> Any:
    """Return a structlog logger bound to an actor's address, for the actor's own use."""
    import structlog  # noqa: PLC0415  most programs never log here, and importing costs 30 ms

    return structlog.get_logger(NAME).bind(actor=str(address))


def actor_logger(address: Address) -> EventLogger:
    """Return what the runtime logs to, bound to an actor's address; see `EventLog`."""
    return EventLog(NAME).logger.bind(actor=str(address))


def log_failure(address: Address, event: str, error: BaseException, **fields: Any) -> None:
    """Log an actor's failure with its traceback, which never shows the values of variables."""
    exception = redact("".join(traceback.format_exception(error)).rstrip())
    actor_logger(address).error(event, error=redact(repr(error)), exception=exception, **fields)
