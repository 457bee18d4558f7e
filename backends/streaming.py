"""Reading a call's deltas with `async for`, built on `generate` and a bounded channel.

The call runs in a task of its own, outside every cancel scope of the reader's. A task group over
the reader's block would be simpler, and wrong inside generators: a web server that loses its client
drops the response's generator, Python closes that from another task, and a task group can be left
only by the task that entered it. So the block owns the call by hand: leaving it, by whichever way
and from whichever task, cancels the call and waits until it has ended.
"""

from types import TracebackType
from typing import Generic, Self

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from typing_extensions import TypeVar

from callboard.backends.backend import Backend
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta
from callboard.backends.detached_task import DetachedTask
from callboard.backends.request import Request

T = TypeVar("T", default=None)

BUFFER = 64
"""Deltas that may wait for a slow reader before the call itself is held up."""


def stream(backend: Backend, request: Request[T]) -> "DeltaStream[T]":
    """Open one call for reading piece by piece.

        async with stream(backend, request) as deltas:
            async for delta in deltas:
                print(delta.text, end="")
        deltas.completion

    The deltas come in order, none is lost, and a slow reader slows the call. Leaving the block
    cancels a call that is not finished, and waits for its end. A failure of the call is raised from
    the iteration, or at the end of the block if nobody iterated to it: as itself, never in a group,
    and only once. The same holds for what the block itself raises. The ambient deadline and other
    context variables are those of the moment in which the block is entered.

    Inside an async generator of your own, use that generator in `contextlib.aclosing`: then a
    reader who goes away ends the call at once, and not when Python collects the generator.

    Args:
        backend: What answers.
        request: What to ask.
    """
    return DeltaStream(backend, request)


class DeltaStream(Generic[T]):
    """The deltas of one call; see `stream`. It is entered once."""

    _call: DetachedTask
    _send: MemoryObjectSendStream[Delta]
    _receive: MemoryObjectReceiveStream[Delta]

    def __init__(self, backend: Backend, request: Request[T]) -> None:
        self._backend = backend
        self._request = request
        self._completion: Completion[T] | None = None
        self._failure: BaseException | None = None
        self._entered = False

    @property
    def completion(self) -> Completion[T]:
        """The whole answer, once the iteration has come to its end.

        Raises:
            RuntimeError: If the call has not finished.
        """
        if self._completion is None:
            raise RuntimeError(
                "the call has not finished: iterate over the stream to its end before you read "
                "its completion"
            )
        return self._completion

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("a stream is one call: open another one with stream()")
        self._entered = True
        self._send, self._receive = anyio.create_memory_object_stream[Delta](BUFFER)
        self._call = DetachedTask(self._produce)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self._call.stop()
        finally:
            self._send.close()
            self._receive.close()
        if error is None:
            self._raise_failure()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        try:
            return self._receive.receive_nowait()
        except anyio.WouldBlock:
            pass
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return self._finish()
        try:
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return self._finish()

    def _finish(self) -> Delta:
        self._raise_failure()
        raise StopAsyncIteration

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _produce(self) -> None:
        cancelled = anyio.get_cancelled_exc_class()
        with self._send:
            try:
                self._completion = await self._backend.generate(self._request, self._sink)
            except cancelled:
                raise
            except BaseException as error:  # noqa: BLE001 - the reader's to see, as itself
                self._failure = error

    async def _sink(self, delta: Delta) -> None:
        try:
            self._send.send_nowait(delta)
        except anyio.WouldBlock:
            await self._send.send(delta)
