"""A backend in its middleware: the onion, folded once."""

from collections.abc import Sequence
from typing import Any, Self, TypeVar

from callboard.backends.backend import Backend, Middleware
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.onward import Innermost, Onward, Rest
from callboard.backends.request import Request

T = TypeVar("T")


def stack(backend: Backend, *middleware: Middleware) -> "Stack":
    """Wrap a backend in middleware, the outermost first.

    The stack owns the backend: closing the stack closes the middleware, outermost first, and then
    the backend.

    Args:
        backend: What answers in the end.
        middleware: Each wraps what follows it.
    """
    return Stack(backend, middleware)


class Stack:
    """A backend seen through its middleware; itself a backend."""

    def __init__(self, backend: Backend, middleware: Sequence[Middleware]) -> None:
        self.backend = backend
        """The innermost backend."""
        self.middleware = tuple(middleware)
        """Outermost first."""
        self._generate = _fold(backend, self.middleware)

    @property
    def capabilities(self) -> Capabilities:
        """What the innermost backend can do, as each middleware reports it onwards."""
        return self._generate.capabilities

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer one request through every layer; see `Backend.generate`.

        Raises:
            BackendError: The call failed, and no layer could mend it.
        """
        completion: Completion[T] = await self._generate(request, sink)
        return completion

    async def aclose(self) -> None:
        """Close every layer, then the backend, also when one of them fails to close."""
        await _close_all((*self.middleware, self.backend))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        return Stack, (self.backend, self.middleware)

    def __repr__(self) -> str:
        layers = [type(layer).__name__ for layer in self.middleware]
        return f"<Stack {' > '.join([*layers, repr(self.backend)])}>"


def _fold(backend: Backend, middleware: Sequence[Middleware]) -> Rest:
    rest: Rest = Innermost(backend)
    for layer in reversed(middleware):
        rest = Onward(layer, rest)
    return rest


async def _close_all(owners: Sequence[Backend | Middleware]) -> None:
    first, *rest = owners
    try:
        await first.aclose()
    finally:
        if rest:
            await _close_all(rest)
