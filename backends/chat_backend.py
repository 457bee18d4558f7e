"""ChatBackend: what every backend of the chat completions format shares.

It writes the request, has it carried, and reads the answer. It neither retries nor times out nor
validates outputs: those are middleware (`default_stack` has them all). A request's `output` is not
read here, only the `response_format` that StructuredOutput makes of it.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeVar

from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Sink
from callboard.backends.errors import BackendError
from callboard.backends.request import Request
from callboard.backends.sampling import SamplingParams
from callboard.backends.secrecy import hide
from callboard.backends.transport import Transport
from callboard.backends.wire.chunk_reading import StreamedAnswer
from callboard.backends.wire.completion_reading import read_completion
from callboard.backends.wire.request_writing import chat_call

T = TypeVar("T")


class ChatBackend:
    """A backend that speaks chat completions over a transport. Base of OpenAI's and Azure's.

    Safe to use from any number of tasks, and from several event loops.

    Args:
        model: The model's name on the server.
        transport: Carries the calls.
        name: What usage, costs and traces are booked under.
        arguments: What the subclass was given, by name: what a pickled backend is rebuilt from.
        sampling: Fields for which a request says nothing.
        capabilities: What the endpoint can do.
        stream_usage: Whether streams are asked for their usage.
    """

    secret_arguments: ClassVar[frozenset[str]] = frozenset()
    """Arguments that never travel: an unpickled backend takes them from the environment again."""

    def __init__(
        self,
        model: str,
        transport: Transport,
        *,
        name: str,
        arguments: Mapping[str, Any],
        sampling: SamplingParams | None,
        capabilities: Capabilities,
        stream_usage: bool,
    ) -> None:
        if not model:
            raise ValueError("a backend needs the name of a model, got an empty one")
        self.model = model
        """The model's name on the server."""
        self.name = name
        """What usage, costs and traces are booked under."""
        self._arguments = arguments
        self._transport = transport
        self._sampling = sampling if sampling is not None else SamplingParams()
        self._capabilities = capabilities
        self._stream_usage = stream_usage

    @property
    def capabilities(self) -> Capabilities:
        """What the endpoint can do, as far as anyone knows."""
        return self._capabilities

    async def generate(self, request: Request[T], sink: Sink | None = None) -> Completion[T]:
        """Answer one request with one call; see `Backend.generate`.

        With a sink the answer is streamed, and the sink is awaited before the next piece is read.
        The completion's `parsed` is always None: outputs are StructuredOutput's job.

        Args:
            request: What to ask.
            sink: Receives the deltas.

        Raises:
            BackendError: The call failed; `backends/classify.py` decides how.
        """
        try:
            if sink is not None:
                return await self._streamed(request, sink)
            call = chat_call(request, model=self.model, defaults=self._sampling)
            answer = await self._transport.whole(call)
            return read_completion(answer, messages=request.messages, model=self.model)
        except BackendError as error:
            hide(error, self._transport.secrets)
            raise

    async def aclose(self) -> None:
        """Close the connections that are ours. A backend used again opens new ones."""
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __reduce__(self) -> tuple[Any, ...]:
        if self._arguments.get("http_client") is not None:
            raise TypeError(
                "a backend with an http_client of yours can't be pickled; build it anew where it "
                "is needed"
            )
        return _rebuild, (type(self), without_secrets(self._arguments, self.secret_arguments))

    async def _streamed(self, request: Request[Any], sink: Sink) -> Completion[Any]:
        call = chat_call(
            request,
            model=self.model,
            defaults=self._sampling,
            stream=True,
            stream_usage=self._stream_usage,
        )
        answer = StreamedAnswer()

        async def take(chunk: Any) -> None:
            for delta in answer.add(chunk):
                await sink(delta)

        ended = await self._transport.pieces(call, take)
        return answer.completion(messages=request.messages, model=self.model, ended=ended)


def _rebuild(cls: Callable[..., ChatBackend], arguments: Mapping[str, Any]) -> ChatBackend:
    return cls(**arguments)


def without_secrets(arguments: Mapping[str, Any], secrets: frozenset[str]) -> dict[str, Any]:
    """Return the arguments that a backend is rebuilt from: those that were given, less secrets.

    Args:
        arguments: The backend's arguments by name.
        secrets: The names of those that never travel.
    """
    kept = {
        name: value
        for name, value in arguments.items()
        if value is not None and name not in secrets
    }
    headers = kept.get("default_headers")
    if headers:
        kept["default_headers"] = {k: v for k, v in headers.items() if not _is_secret(k)}
    return kept


def _is_secret(header: str) -> bool:
    words = ("authorization", "api-key", "apikey", "token", "secret", "cookie")
    return any(word in header.lower() for word in words)
