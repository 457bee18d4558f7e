"""Where events are logged: through structlog where the program uses it, and quietly where not.

Structlog prints every event to standard output until somebody configures it, which a library may
not do to a program that has results to print there. The standard library shows warnings and errors
on standard error.
"""

import logging
import sys
from typing import Any, Protocol


class EventLogger(Protocol):
    """As much of a structlog logger as is needed."""

    def bind(self, **fields: Any) -> "EventLogger":
        """Return a logger that adds these fields to each event."""
        ...

    def debug(self, event: str, **fields: Any) -> Any:
        """Log an event that people look for only when something is wrong."""
        ...

    def info(self, event: str, **fields: Any) -> Any:
        """Log an event of the program's ordinary life."""
        ...

    def warning(self, event: str, **fields: Any) -> Any:
        """Log an event that people should see."""
        ...

    def error(self, event: str, **fields: Any) -> Any:
        """Log a failure."""
        ...


class EventLog:
    """Finds the logger of a name, anew for each event: programs configure structlog late.

    Args:
        name: The logger's in structlog and in the standard library, as `callboard.runtime`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._standard = StandardLogger(name)

    @property
    def logger(self) -> EventLogger:
        """Structlog's logger if structlog is configured, else the standard library's."""
        # Importing structlog takes longer than a call: whoever configured it has imported it.
        structlog = sys.modules.get("structlog")
        if structlog is None or not structlog.is_configured():
            return self._standard
        logger: EventLogger = structlog.get_logger(self._name)
        return logger


class StandardLogger:
    """The standard library's logger in structlog's clothes: the fields follow the event.

    Args:
        name: The logger's.
        fields: Added to each event.
    """

    def __init__(self, name: str, **fields: Any) -> None:
        self._logger = logging.getLogger(name)
        self._fields = fields

    def bind(self, **fields: Any) -> "StandardLogger":
        """Return a logger that adds these fields to each event."""
        return StandardLogger(self._logger.name, **{**self._fields, **fields})

    def is_enabled_for(self, level: int) -> bool:
        """Tell whether events of this level go anywhere."""
        return self._logger.isEnabledFor(level)

    def debug(self, event: str, **fields: Any) -> None:
        """Log an event that people look for only when something is wrong."""
        self._logger.debug("%s", _line(event, {**self._fields, **fields}), stacklevel=2)

    def info(self, event: str, **fields: Any) -> None:
        """Log an event of the program's ordinary life."""
        self._logger.info("%s", _line(event, {**self._fields, **fields}), stacklevel=2)

    def warning(self, event: str, **fields: Any) -> None:
        """Log an event that people should see."""
        self._logger.warning("%s", _line(event, {**self._fields, **fields}), stacklevel=2)

    def error(self, event: str, **fields: Any) -> None:
        """Log a failure."""
        self._logger.error("%s", _line(event, {**self._fields, **fields}), stacklevel=2)


def _line(event: str, fields: dict[str, Any]) -> str:
    trace = fields.pop("exception", None)
    line = " ".join([event, *(f"{name}={value!r}" for name, value in fields.items())])
    return line if trace is None else f"{line}\n{trace}"
