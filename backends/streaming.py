"""Reading a call's deltas with `async for`, built on `generate` and a bounded channel."""

from types import TracebackType
from typing import Any, Generic, Self

import anyio
from anyio.abc import TaskGroup
from typing_extensions import TypeVar

from callboard.backends.backend import Backend
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta
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
    cancels a call that is not finished. A failure of the call is raised from the iteration, or at
    the end of the block if nobody iterated to it, as itself and never in a group. Inside a
    generator of your own, wrap that generator in `contextlib.aclosing` where you use it, so that
    the block is left in the task that entered it.

    Args:
        backend: What answers.
        request: What to ask.
    """
    return DeltaStream(backend, request)


class DeltaStream(Generic[T]):
    """The deltas of one call; see `stream`."""

    _group: TaskGroup

    def __init__(self, backend: Backend, request: Request[T]) -> None:
        self._backend = backend
        self._request = request
        self._send, self._receive = anyio.create_memory_object_stream[Delta](BUFFER)
        self._completion: Completion[T] | None = None
        self._failure: Exception | None = None

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
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        self._group.start_soon(self._produce)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._group.cancel_scope.cancel()
        # The body's own exception goes around the task group, which would wrap it in a group;
        # a cancellation goes through it, because scopes count those.
        plain = isinstance(error, Exception)
        await self._group.__aexit__(*((None, None, None) if plain else (kind, error, trace)))
        self._send.close()
        self._receive.close()
        if error is None:
            self._raise_failure()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        try:
            return await self._receive.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            self._raise_failure()
            raise StopAsyncIteration from None

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _produce(self) -> None:
        with self._send:
            try:
                self._completion = await self._backend.generate(self._request, self._sink)
            except Exception as error:  # noqa: BLE001 - handed to the reader, as itself
                self._failure = error

    async def _sink(self, delta: Delta) -> Any:
        try:
            self._send.send_nowait(delta)
        except anyio.WouldBlock:
            await self._send.send(delta)
