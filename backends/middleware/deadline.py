"""Deadline: bounds one whole call, with everything that is done on its behalf."""

import math
from typing import Any

import anyio

from callboard.ambient.deadline import ambient_deadline, set_ambient_deadline
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendTimeoutError
from callboard.backends.middleware.base import Wrapper
from callboard.backends.request import Request


class Deadline(Wrapper):
    """Bounds a whole call: its retries, tool turns, repairs, waits, and its sink.

    The call ends at the earliest of three: the request's `timeout` (or, where it names none, the
    default given here), and the ambient deadline, for example that of the ask in whose handler the
    call is made. Everything inside sees that time as its ambient deadline in turn: nested asks, and
    tools that call models. A deadline that has passed fails the call before anything is sent.

    Args:
        timeout: Seconds for requests that name none; None leaves them to the ambient deadline.

    Raises:
        ValueError: If the timeout is negative or not a number.
    """

    def __init__(self, timeout: float | None = 600.0) -> None:
        if timeout is not None and not timeout >= 0:
            raise ValueError(f"timeout must be a number of seconds >= 0, got {timeout!r}")
        self.timeout = timeout
        """Seconds for requests that name none."""

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request in time.

        Raises:
            BackendTimeoutError: The deadline passed; not retryable.
        """
        timeout = self.timeout if request.timeout is None else request.timeout
        outer = ambient_deadline()
        if timeout is None and outer == math.inf:
            return await call_next(request, sink)
        now = anyio.current_time()
        own = math.inf if timeout is None else now + timeout
        deadline = min(own, outer)
        if deadline <= now:
            raise _too_late(request, timeout, ambient=outer < own, sent=False, after=0.0)
        with anyio.CancelScope(deadline=deadline):
            set_ambient_deadline(deadline)
            try:
                return await call_next(request, sink)
            finally:
                set_ambient_deadline(outer)
        raise _too_late(request, timeout, ambient=outer < own, sent=True, after=deadline - now)


def _too_late(
    request: Request[Any], timeout: float | None, *, ambient: bool, sent: bool, after: float
) -> BackendTimeoutError:
    if ambient:
        bound = "the deadline around it passed; give the ask or the code around it a longer timeout"
    elif request.timeout is not None:
        bound = f"Request(timeout={timeout:g}) passed; raise it"
    else:
        bound = f"Deadline(timeout={timeout:g}) passed; raise it, or name one in the request"
    if sent:
        what = f"the call was not finished after {after:.3g} s"
    else:
        what = "no time was left for the call, and nothing was sent"
    return BackendTimeoutError(f"{what}: {bound} if the model needs longer", retryable=False)
