"""Reads how long a server asks us to wait."""

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime


def read_retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds to wait, None where the server says nothing that makes sense.

    `retry-after-ms` (OpenAI's and Azure's) is finer and goes before `retry-after`, which holds
    seconds or an HTTP date (RFC 9110, 10.2.3).

    Args:
        headers: Looked up in lower case; a case-insensitive mapping, or lower-case keys.
        now: The present as a Unix time, for dates.
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    return _until(said, now) if seconds is None and said else seconds


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _until(date: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError):
        return None
