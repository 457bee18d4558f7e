"""Middleware: each file wraps a backend's `generate` for one reason."""

from callboard.backends.middleware.base import Wrapper
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit, ConcurrencyStatistics
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.logging import Logging
from callboard.backends.middleware.metrics import Metrics
from callboard.backends.middleware.retry import Retry, RetryEvent
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.timeout import Timeout
from callboard.backends.middleware.tools import Tools
from callboard.backends.middleware.tracing import Tracing
from callboard.backends.middleware.usage_meter import UsageMeter, UsageRow, UsageSnapshot

__all__ = [
    "ConcurrencyLimit",
    "ConcurrencyStatistics",
    "Deadline",
    "Logging",
    "Metrics",
    "Retry",
    "RetryEvent",
    "StructuredOutput",
    "Timeout",
    "Tools",
    "Tracing",
    "UsageMeter",
    "UsageRow",
    "UsageSnapshot",
    "Wrapper",
]
