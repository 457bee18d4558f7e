"""Loggers of actors; structlog is imported when something is to be logged, not before."""

from typing import Any

from callboard.runtime.address import Address


def actor_logger(address: Address) -> Any:
    """Return a structlog logger bound to an actor's address."""
    import structlog  # noqa: PLC0415  most programs never log here, and importing costs 30 ms

    return structlog.get_logger("callboard.runtime").bind(actor=str(address))
