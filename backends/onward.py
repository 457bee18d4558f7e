"""Onward: the rest of a stack as the layer outside sees it: to be called, or asked what it can."""

from typing import Any, TypeAlias

from callboard.backends.backend import Backend, Generate, Middleware
from callboard.backends.capabilities import Capabilities


class Innermost:
    """The end of a stack: the backend itself."""

    __slots__ = ("__weakref__", "_backend")

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def __call__(self, request: Any, sink: Any = None, /) -> Any:
        """Hand on the backend's own coroutine, which saves a frame on every call."""
        return self._backend.generate(request, sink)

    @property
    def capabilities(self) -> Capabilities:
        """What the backend can do."""
        return self._backend.capabilities


class Onward:
    """A layer and everything inside of it."""

    __slots__ = ("__weakref__", "_inner", "_layer")

    def __init__(self, layer: Middleware, inner: "Rest") -> None:
        self._layer = layer
        self._inner = inner

    def __call__(self, request: Any, sink: Any = None, /) -> Any:
        """Hand on the layer's own coroutine."""
        return self._layer(request, sink, self._inner)

    @property
    def capabilities(self) -> Capabilities:
        """What the backend can do, as each layer reports it onwards."""
        return self._layer.capabilities(self._inner.capabilities)


Rest: TypeAlias = Innermost | Onward


def capabilities_of(call_next: Generate) -> Capabilities:
    """Return what the rest of a stack can do, for a middleware that has to know.

    Args:
        call_next: What the middleware was handed: the rest of a stack, or in a test a backend's
            own `generate`. Of any other function nothing is known.
    """
    if isinstance(call_next, (Innermost, Onward)):
        return call_next.capabilities
    owner = getattr(call_next, "__self__", None)
    return owner.capabilities if isinstance(owner, Backend) else Capabilities()
