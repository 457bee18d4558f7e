"""FunctionBackend: a double, or a small model of one's own, that is a function of the request."""

import inspect
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, cast

from anyio.lowlevel import checkpoint

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.double import DOUBLE_CAPABILITIES, tell_sink, to_completion
from callboard.backends.request import Request

T = TypeVar("T")


class FunctionBackend:
    """Answers each request with what a function makes of it.

        backend = FunctionBackend(lambda request: f"{len(request.messages)} messages")

    A sync function runs in the event loop itself and should be quick; an async one may wait. What
    it raises comes out of the call as it is.

    Args:
        function: Takes the Request; returns text, an AssistantMessage, a Completion (given back as
            it is), or any other value, which is answered as JSON.
        model: The name that its completions carry; the function's own by default.
        capabilities: What it claims to be able to do.
    """

    in_process: ClassVar[bool] = True
    """Its spans are no client's: nothing leaves the process."""

    def __init__(
        self,
        function: Callable[[Request[Any]], Any],
        *,
        model: str | None = None,
        capabilities: Capabilities = DOUBLE_CAPABILITIES,
    ) -> None:
        self.model = str(getattr(function, "__name__", "function")) if model is None else model
        self._function = function
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """What it was told to claim."""
        return self._capabilities

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer with what the function returns.

        Raises:
            Exception: Whatever the function raises.
            TypeError: If it returns something that a double can't answer.
        """
        answer = self._function(request)
        if inspect.isawaitable(answer):
            answer = await answer
        else:
            await checkpoint()
        completion = to_completion(answer, request, self.model)
        if sink is not None:
            await tell_sink(sink, completion.message)
        return cast("Completion[T]", completion)

    async def aclose(self) -> None:
        """Do nothing: the function is its owner's."""

    def __repr__(self) -> str:
        return f"<FunctionBackend {self.model!r}>"
