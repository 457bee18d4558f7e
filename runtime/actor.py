"""Actors: code plus private state, one message at a time."""

from typing import Any, ClassVar

from callboard.runtime.context import Context, Home
from callboard.runtime.handlers import HandlerTable, collect_handlers


class Actor:
    """Base of actors. Methods decorated with `@SomeMessage.handler` handle messages.

    Handlers run one at a time, in the order in which messages arrived; only reentrant ones run
    beside others. The state therefore needs no locks. A failure discards the instance: the next
    incarnation is made anew from what `spawn` was given, and keeps address and mailbox.

        class Counter(Actor):
            def __init__(self, start: int = 0) -> None:
                self.total = start

            @Add.handler
            async def add(self, message: Add) -> int:
                self.total += message.n
                return self.total
    """

    reply_errors: ClassVar[tuple[type[BaseException], ...]] = ()
    """Exceptions that are answers: they reach an asker as they are, and are no failure."""

    __handlers__: ClassVar[HandlerTable] = HandlerTable({})
    __slots__ = ("_home",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__handlers__ = collect_handlers(cls)

    @property
    def context(self) -> Context:
        """What the actor can do beyond handling the message at hand.

        Raises:
            RuntimeError: If the actor was not spawned.
        """
        try:
            return Context(self._home)
        except AttributeError:
            name = type(self).__name__
            raise RuntimeError(
                f"this {name} was not spawned, so it has no context: "
                f"await runtime.spawn({name}, ...)"
            ) from None

    def settle_in(self, home: Home) -> None:
        """Connect the actor with the runtime; for the runtime's own use."""
        self._home = home

    async def on_start(self) -> None:
        """Run before the first message; what it raises comes out of `spawn`."""

    async def on_stop(self) -> None:
        """Run after the last message, and before an incarnation is discarded; must not raise."""

    async def on_restart(self, error: BaseException) -> None:
        """Run on the new incarnation after a failure; `on_start` unless overridden.

        Args:
            error: What ended the incarnation before.
        """
        del error
        await self.on_start()

    def snapshot(self) -> Any:
        """Return what the next incarnation should know; None, the default, for nothing.

        Called on an incarnation that failed, is restarted with a sibling, or is put to rest, before
        `on_stop`. A handler may have failed half-way: return only what is sound. What this raises
        is logged, and the next incarnation starts without.
        """
        return None

    def restore(self, state: Any) -> None:
        """Take over what `snapshot` returned, after the constructor and before the hooks.

        What this raises is a failed start; the next attempt goes without the snapshot.

        Args:
            state: What the incarnation before has returned; never None.
        """
