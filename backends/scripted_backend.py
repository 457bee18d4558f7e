"""ScriptedBackend: a double that gives the answers written down for it, in order."""

import inspect
from collections.abc import Iterable
from typing import Any, ClassVar, TypeVar, cast

from anyio.lowlevel import checkpoint

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.double import DOUBLE_CAPABILITIES, tell_sink, to_completion
from callboard.backends.errors import BackendError
from callboard.backends.request import Request

T = TypeVar("T")


class ScriptExhaustedError(BackendError):
    """A ScriptedBackend was called more often than it has answers."""


class ScriptedBackend:
    """Gives the answers of a script, one for each call in the order of the calls.

        backend = ScriptedBackend(["hello", {"price": 12}, RateLimitError("slow down")])

    Nothing is checked: a script may hold garbage, as servers do. A call that is cancelled after
    it began has used up its answer.

    Args:
        answers: Text; an AssistantMessage (with tool calls, a refusal ...); a Completion, given
            back as it is; an exception or its class, which is raised; a function of the request,
            sync or async, that returns any of these; any other value, which is answered as JSON.
            May be endless (`itertools.repeat("yes")`).
        model: The name that its completions carry.
        capabilities: What it claims to be able to do.
    """

    in_process: ClassVar[bool] = True
    """Its spans are no client's: nothing leaves the process."""

    def __init__(
        self,
        answers: Iterable[Any],
        *,
        model: str = "scripted",
        capabilities: Capabilities = DOUBLE_CAPABILITIES,
    ) -> None:
        self.model = model
        self.requests: list[Request[Any]] = []
        """Every request so far, oldest first."""
        self._answers = iter(answers)
        self._capabilities = capabilities

    @property
    def capabilities(self) -> Capabilities:
        """What it was told to claim."""
        return self._capabilities

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Give the next answer of the script.

        Raises:
            ScriptExhaustedError: If there is none left.
            Exception: Whatever the script says.
            TypeError: If the answer is none that a double can give.
        """
        self.requests.append(request)
        answer = self._next_answer()
        await checkpoint()
        answer = await _resolved(answer, request)
        completion = to_completion(answer, request, self.model)
        if sink is not None:
            await tell_sink(sink, completion.message)
        return cast("Completion[T]", completion)

    async def aclose(self) -> None:
        """Do nothing: there is nothing to free."""

    def __repr__(self) -> str:
        return f"<ScriptedBackend {self.model!r}, {len(self.requests)} calls>"

    def _next_answer(self) -> Any:
        try:
            return next(self._answers)
        except StopIteration:
            count = len(self.requests)
            raise ScriptExhaustedError(
                f"the script of this ScriptedBackend has {count - 1} answers, and this is call "
                f"{count}: add an answer, or find out who calls once more (`backend.requests` "
                "holds every request)"
            ) from None


async def _resolved(answer: Any, request: Request[Any]) -> Any:
    if isinstance(answer, BaseException):
        raise answer
    if isinstance(answer, type):
        return _raised(cast("type[Any]", answer))
    if not callable(answer):
        return answer
    result = answer(request)
    return await _resolved(await result if inspect.isawaitable(result) else result, request)


def _raised(kind: type[Any]) -> Any:
    if issubclass(kind, BaseException):
        raise kind
    return kind
