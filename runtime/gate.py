"""The gate: senders wait here until the journal has what they were told on the disk."""

from typing import Any

import anyio

from callboard.ambient.deadline import ambient_deadline
from callboard.runtime.errors import JournalTimeoutError
from callboard.runtime.observer import Recorder


async def synced_by(journal: Recorder, deadline: float) -> bool:
    """Wait until all that has happened so far is on the disk; return whether it was in time."""
    with anyio.CancelScope(deadline=deadline):
        await journal.synced()
        return True
    return False


async def until_synced(journal: Recorder, message: Any, timeout: float) -> None:
    """Wait until all that has happened so far is on the disk.

    Raises:
        JournalTimeoutError: It was not in time.
    """
    deadline = min(anyio.current_time() + timeout, ambient_deadline())
    if not await synced_by(journal, deadline):
        raise JournalTimeoutError(type(message).__name__, timeout)
