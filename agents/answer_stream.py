"""AnswerStream: an agent's answer, read piece by piece."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from callboard.agents.answer import Answer
from callboard.agents.asking import Asking
from callboard.agents.conversation import Conversation
from callboard.backends.backend import Backend
from callboard.backends.delta import Delta
from callboard.backends.streaming import DeltaStream, stream

T_co = TypeVar("T_co", covariant=True, default=str)


class AnswerStream(Generic[T_co]):
    """The deltas of one run, in order, and then its answer.

        async with agent.stream("...") as deltas:
            async for delta in deltas:
                print(delta.text, end="")
        deltas.answer.output

    The turn counts, and reaches the conversation, when the iteration comes to its end. Leaving the
    block earlier cancels the call and leaves the conversation as it was. A failure of the call is
    raised from the iteration as itself. Inside a generator of your own, wrap that generator in
    `contextlib.aclosing` where you use it.
    """

    _deltas: DeltaStream[Any]
    _asking: Asking

    def __init__(
        self,
        backend: Backend,
        prepare: Callable[[], Asking],
        conversation: Conversation | None,
    ) -> None:
        self._backend = backend
        self._prepare = prepare
        self._conversation = conversation
        self._open = AsyncExitStack()
        self._answer: Answer[Any] | None = None

    @property
    def answer(self) -> Answer[T_co]:
        """The whole answer, once the iteration has come to its end.

        Raises:
            RuntimeError: If the iteration has not come to its end.
        """
        if self._answer is None:
            raise RuntimeError(
                "the answer is not there yet: iterate over the stream to its end before you read it"
            )
        return self._answer

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as opening:
            if self._conversation is not None:
                opening.enter_context(self._conversation.turn())
            self._asking = self._prepare()
            deltas = stream(self._backend, self._asking.request)
            self._deltas = await opening.enter_async_context(deltas)
            self._open = opening.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.__aexit__(kind, error, trace)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Delta:
        try:
            return await anext(self._deltas)
        except StopAsyncIteration:
            if self._answer is None:
                self._answer = self._asking.conclude(self._deltas.completion)
            raise
