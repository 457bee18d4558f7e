"""Where a command's logs go: stderr, so that stdout holds results and nothing else."""

import logging
import os
import sys

import structlog

from callboard.agents.cli.errors import UsageError

LEVELS = ("debug", "info", "warning", "error")


def log_to_stderr(level: str) -> None:
    """Send what structlog and the standard library log to stderr.

    Args:
        level: One of `LEVELS`; what lies below it is dropped.

    Raises:
        UsageError: If there is no such level.
    """
    if level not in LEVELS:
        raise UsageError(f"--log-level is one of {', '.join(LEVELS)}, got {level!r}")
    number = getattr(logging, level.upper())
    logging.basicConfig(
        stream=sys.stderr, level=number, format="%(levelname)s %(name)s %(message)s"
    )
    colours = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=colours),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
