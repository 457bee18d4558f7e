"""Transport: how a call reaches the model, and how its answer comes back, unread."""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Protocol, TypeAlias

from callboard.backends.wire.request_writing import ChatCall

Take: TypeAlias = Callable[[Any], Awaitable[None]]
"""Receives one chunk of an answer. What it raises goes through the transport as it is."""


class Transport(Protocol):
    """Carries calls; the reading of answers is done elsewhere."""

    @property
    def secrets(self) -> Collection[str]:
        """What calls were made with lately, to be hidden where a server echoes it."""
        ...

    async def whole(self, call: ChatCall) -> Any:
        """Send one call and return the whole answer: a dict, or an object of that shape.

        Raises:
            BackendError: No answer came, or one that is no success.
        """
        ...

    async def pieces(self, call: ChatCall, take: Take) -> bool:
        """Send one call and hand over its chunks, each awaited before the next is read.

        Returns:
            Whether the stream came to its proper end; False where that can't be told.

        Raises:
            BackendError: No answer came, it broke off, or it is no success.
        """
        ...

    async def aclose(self) -> None:
        """Free what the transport owns."""
        ...
