"""The gate: senders wait here until the journal has what they were told on the disk."""

from dataclasses import dataclass
from typing import Any

from callboard.ambient.deadline import ambient_deadline
from callboard.runtime.envelope import Failure
from callboard.runtime.errors import JournalTimeoutError
from callboard.runtime.kernel import Kernel
from callboard.runtime.loops import Slot
from callboard.runtime.observer import Recorder

_TOO_LATE = object()


@dataclass(slots=True, eq=False)
class _Patience:
    """Ends a wait for the disk."""

    slot: Slot

    def expire(self) -> None:
        """Wake the sender, who has waited long enough."""
        self.slot.set_result(_TOO_LATE)


async def synced_by(kernel: Kernel, gate: Recorder, deadline: float) -> bool:
    """Wait until all that has happened so far is on the disk; return whether it was in time.

    Raises:
        ActorError: It can't get there.
    """
    slot = kernel.make_slot()
    gate.notify(slot)
    kernel.timers.add(deadline, slot, _Patience(slot))
    outcome = await slot
    if type(outcome) is Failure:
        raise outcome.error
    return outcome is not _TOO_LATE


async def until_synced(kernel: Kernel, gate: Recorder, message: Any, timeout: float) -> None:
    """Wait until all that has happened so far is on the disk.

    Raises:
        JournalTimeoutError: It was not in time.
        ActorError: It can't get there.
    """
    deadline = min(kernel.time() + timeout, ambient_deadline())
    if not await synced_by(kernel, gate, deadline):
        raise JournalTimeoutError(type(message).__name__, timeout)
