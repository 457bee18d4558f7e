"""A function that would run in a thread: it runs inline, at a moment that the policy chooses."""

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any


class ThreadCall:
    """One call. In between, other tasks run before it and after it, never during it.

    `time.sleep` in it does not block: it lets the call take that long in simulated time.
    """

    __slots__ = ("_args", "_context", "_error", "_function", "_result", "future", "slept")

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        future: asyncio.Future[Any],
        context: Context | None = None,
    ) -> None:
        self._function = function
        self._args = args
        self._context = copy_context() if context is None else context
        self._result: Any = None
        self._error: BaseException | None = None
        self.future = future
        """What the caller waits for."""
        self.slept = 0.0
        """Seconds that the function has slept so far."""

    def run(self) -> None:
        """Call the function, unless nobody waits any more."""
        if self.future.cancelled():
            return
        try:
            self._result = self._context.run(self._function, *self._args)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  it is handed to the caller
            self._error = error

    def deliver(self) -> None:
        """Hand the outcome to the caller."""
        if self.future.cancelled():
            return
        if isinstance(self._error, StopIteration):
            self._error = RuntimeError("a function in a thread raised StopIteration")
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)
