"""What waits to run on a simulation's loop: callbacks, with the number of what they belong to."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any


class Callback(asyncio.Handle):
    """A callback that runs soon.

    `number` is that of the task that it takes a step of, or of the function in a thread; None for
    any other, which keeps its place in the order instead of competing.
    """

    __slots__ = ("number", "owner")

    def __init__(
        self,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
        number: int | None,
        owner: object,
    ) -> None:
        super().__init__(callback, args, loop, context)
        self.number = number
        self.owner = owner
        """The task, or the function in a thread; None for any other."""

    def run(self) -> None:
        """Call it; an exception goes to the loop's exception handler."""
        self._run()


class Timer(asyncio.TimerHandle):
    """A callback that runs when its time has come, or any time later."""

    __slots__ = ("number", "owner")

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: asyncio.AbstractEventLoop,
        context: Context | None,
        number: int,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.number = number
        self.owner: object = callback
        """The callback itself."""

    def run(self) -> None:
        """Call it; an exception goes to the loop's exception handler."""
        self._run()
