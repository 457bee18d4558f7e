"""InjectedTransport: carries calls through a client that someone else made, owns and will close.

Such clients come from trainers and proxies, and support less than they seem to. Exactly one thing
is ever touched on them: `chat.completions.create(messages=..., ...)`, async or not, with the
parameters that were explicitly set. Answers may be SDK objects, other objects of that shape, or
dicts; streams may be async or plain iterators without any further method.
"""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio

from callboard.backends.classify import from_exception
from callboard.backends.credentials import is_async
from callboard.backends.errors import BackendError
from callboard.backends.event_loop import running_loop
from callboard.backends.thread_calls import ThreadCalls
from callboard.backends.transport import Take
from callboard.backends.wire.foreign import field
from callboard.backends.wire.request_writing import ChatCall

_END: Any = object()


class InjectedTransport:
    """Calls over an injected client's `chat.completions.create`.

    A synchronous client runs in threads. Cancelling a call abandons its thread: the call returns at
    once, the thread ends with the client's own answer or timeout.

    Args:
        client: Needs `chat.completions.create` and nothing else.
        max_threads: Calls of a synchronous client at the same time; further ones wait.

    Raises:
        TypeError: If the client has no such function.
    """

    def __init__(self, client: Any, *, max_threads: int) -> None:
        self._create = _create_of(client)
        self._is_async = is_async(self._create)
        self._threads = ThreadCalls(max_threads)
        self._where = f"the injected {type(client).__name__}"
        self._first_loop: object = None
        self.secrets = ()
        """None that anybody told us."""

    async def whole(self, call: ChatCall) -> Any:
        """Send one call; see `Transport.whole`.

        Raises:
            BackendError: The client failed.
        """
        return await self._guarded(self._call(call))

    async def pieces(self, call: ChatCall, take: Take) -> bool:
        """Send one call and hand over its chunks; see `Transport.pieces`.

        The stream is closed where it can be. A client that answers whole is read as one chunk.

        Raises:
            BackendError: The client failed.
        """
        stream = await self._guarded(self._call(call))
        if field(stream, "choices") is not None:
            await take(stream)
        elif hasattr(stream, "__aiter__"):
            await self._read(stream, take)
        else:
            await self._read_in_threads(stream, take)
        # Where a client's stream ends, its answer does: the client has judged that.
        return True

    async def aclose(self) -> None:
        """Do nothing: the client is its owner's."""

    async def _call(self, call: ChatCall) -> Any:
        create = partial(self._create, **call.arguments())
        if self._is_async:
            return await create()
        answer = await self._threads.run(create, _close_now)
        return await answer if inspect.isawaitable(answer) else answer

    async def _read(self, stream: Any, take: Take) -> None:
        chunks: Any = stream if hasattr(stream, "__anext__") else aiter(stream)
        try:
            while (chunk := await self._guarded(anext(chunks, _END))) is not _END:
                await take(chunk)
        finally:
            with anyio.CancelScope(shield=True):
                await _close(stream)

    async def _read_in_threads(self, stream: Any, take: Take) -> None:
        chunks = _ThreadedStream(stream)
        try:
            while (chunk := await self._pull(chunks)) is not _END:
                await take(chunk)
        finally:
            # A thread that still reads closes the stream itself when it comes back.
            if not chunks.reading:
                chunks.close()

    async def _pull(self, chunks: "_ThreadedStream") -> Any:
        return await self._guarded(self._threads.run(chunks.pull, lambda _: chunks.close()))

    async def _guarded(self, awaitable: Awaitable[Any]) -> Any:
        loop = running_loop()
        self._first_loop = self._first_loop or loop
        try:
            return await awaitable
        except Exception as error:
            known = from_exception(error, where=self._where)
            if known is error:
                raise
            if known is None:
                raise self._unknown(error, elsewhere=loop is not self._first_loop) from error
            raise known from (error if known.status is None else None)

    def _unknown(self, error: Exception, *, elsewhere: bool) -> BackendError:
        words = f"{self._where} failed with {type(error).__name__}: {error}"
        if elsewhere and isinstance(error, RuntimeError):
            return BackendError(
                f"{words}; it was first used in another event loop, and most clients belong to the "
                "loop in which they opened their connections: inject one for each loop"
            )
        return BackendError(f"{words}; what that means is up to the client's own documentation")


def _create_of(client: Any) -> Callable[..., Any]:
    try:
        create: Callable[..., Any] = client.chat.completions.create
    except AttributeError as error:
        raise TypeError(
            f"an injected client needs chat.completions.create(messages=..., ...); "
            f"{type(client).__name__} has none ({error})"
        ) from None
    if not callable(create):
        raise TypeError(f"chat.completions.create of {type(client).__name__} can't be called")
    return create


class _ThreadedStream:
    """A synchronous stream, and whether a thread is reading it just now."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._chunks: Any = iter(stream)
        self.reading = False

    def pull(self) -> Any:
        self.reading = True
        try:
            return next(self._chunks, _END)
        finally:
            self.reading = False

    def close(self) -> None:
        _close_now(self._stream)


async def _close(stream: Any) -> None:
    """Close an async stream by whatever method it has for that."""
    close = getattr(stream, "aclose", None) or getattr(stream, "close", None)
    done = close() if callable(close) else None
    if inspect.isawaitable(done):
        await done


def _close_now(stream: Any) -> None:
    """Close a synchronous stream, if it is one that can be closed."""
    close = getattr(stream, "close", None)
    if callable(close):
        close()
