"""Forks: a runtime belongs to one process, and says so in any other.

The check costs a message nothing: what a runtime needs for every message is exchanged, in a forked
child, for something that raises.
"""

import os
import weakref
from typing import Any, NoReturn

from callboard.runtime.envelope import Envelope
from callboard.runtime.errors import ForkedError
from callboard.runtime.kernel import Kernel


class _Refusal:
    """Stands in for clock and observer of a runtime in a process where it does not run."""

    def __init__(self, runtime: str, parent: int) -> None:
        self._error = ForkedError(runtime, parent, os.getpid())

    def time(self) -> NoReturn:
        """Refuse to tell the time."""
        raise self._error

    def sent(self, envelope: Envelope) -> None:
        """Refuse to have a message sent."""
        del envelope
        raise self._error

    def begin(self, envelope: Envelope) -> None:
        """Nothing begins here."""

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """Nothing ends here."""


def notice_forks(kernel: Kernel) -> None:
    """Let a runtime refuse to work in processes that are forked from now on."""
    if not hasattr(os, "register_at_fork"):
        return
    parent, alive = os.getpid(), weakref.ref(kernel)

    def refuse() -> None:
        here = alive()
        if here is not None:
            refusal: Any = _Refusal(here.name, parent)
            here.time, here.tracer = refusal.time, refusal

    # It can't be taken back, and lives as long as the process; it holds on to nothing.
    os.register_at_fork(after_in_child=refuse)
