"""The one interface to every model, and the one signature that all middleware composes."""

from typing import Any, Protocol, TypeVar, runtime_checkable

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.request import Request

T = TypeVar("T")


@runtime_checkable
class Backend(Protocol):
    """Anything that answers requests: an endpoint, a model in the process, a double, a stack."""

    @property
    def capabilities(self) -> Capabilities:
        """What this backend can do, as far as anyone knows."""
        ...

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer one request.

        The completion is always whole, whether it was streamed or not. With a sink, the pieces
        reach it in order while they arrive; what the sink raises ends the call and comes out as it
        is. Cancelling the call frees its connection and leaves nothing running. Safe to call
        concurrently.

        Args:
            request: What to ask; never changed.
            sink: Receives the deltas; None means that nobody wants to watch.

        Raises:
            BackendError: The call failed; its subclasses say how.
        """
        ...

    async def aclose(self) -> None:
        """Free what the backend owns; an injected client is its owner's. Closing twice is fine."""
        ...


class Generate(Protocol):
    """What a middleware calls to go on: the rest of the stack."""

    async def __call__(self, request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        """Answer one request, like `Backend.generate`."""
        ...


class Middleware(Protocol):
    """Wraps one call, streamed or not. An instance may serve several stacks, concurrently."""

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, usually by way of `call_next`: once, several times or not at all."""
        ...

    def capabilities(self, inner: Capabilities) -> Capabilities:
        """Return what the stack can do from here on, given what its inside can."""
        ...

    async def aclose(self) -> None:
        """Free what the middleware owns."""
        ...
