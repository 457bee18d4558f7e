"""Wrapper: what most middleware has in common, which is to change nothing and to own nothing."""

from typing import Any

from callboard.backends.backend import Generate
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.request import Request


class Wrapper:
    """A middleware that passes everything on; derive from it and override `__call__`.

    It is a convenience: whatever has the three methods of `Middleware` is one.
    """

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request by handing it on."""
        return await call_next(request, sink)

    def capabilities(self, inner: Capabilities) -> Capabilities:
        """Report what the inside can do, unchanged."""
        return inner

    async def aclose(self) -> None:
        """Free nothing, since nothing is owned."""
