"""Tasks that are numbered by birth, so that sets of them have the same order in every run."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


class SimulatedTask(asyncio.Task[Any]):
    """A task of a simulation. anyio keeps tasks in sets, whose order follows the hash."""

    number: int
    """1 for the main task; timers and functions in threads are counted along."""

    def __init__(self, coro: Coroutine[Any, Any, Any], *, number: int, **options: Any) -> None:
        self.number = number
        if options.get("name") is None:
            # asyncio's own numbering goes on from run to run.
            options["name"] = f"Task-{number}"
        super().__init__(coro, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other

    @property
    def awaited(self) -> "SimulatedTask | None":
        """The task that it waits for, if it awaits one itself."""
        waiter: object = getattr(self, "_fut_waiter", None)
        return waiter if isinstance(waiter, SimulatedTask) else None

    def abandon(self) -> None:
        """End it without a word, after a run that could not end in good order."""
        self._log_destroy_pending = False
        coroutine = self.get_coro()
        if isinstance(coroutine, Coroutine):
            with suppress(BaseException):  # what it says while it is torn down is no news
                coroutine.close()
