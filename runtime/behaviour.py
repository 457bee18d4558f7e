"""The life of an actor as the runtime sees it: its three hooks."""

from typing import Protocol


class Behaviour(Protocol):
    """What `spawn` starts; `Actor` is what to derive from."""

    async def on_start(self) -> None:
        """Run before the first message."""
        ...

    async def on_stop(self) -> None:
        """Run after the last message."""
        ...

    async def on_restart(self, error: BaseException) -> None:
        """Run instead of on_start when a new incarnation takes over."""
        ...
