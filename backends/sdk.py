"""The openai SDK, loaded with the backend that needs it, and told to leave to us what is ours.

It is used for what it is good at: connections, authentication and headers. Its retries are off
(Retry is a middleware), its timeouts too (Timeout and Deadline are), and its typed `create` is gone
round: `client.post(..., cast_to=Response)` sends the body as it is, where `create` walks through
every message of it first.
"""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from callboard.backends.errors import BackendProtocolError
from callboard.backends.event_loop import is_trio, running_loop

BODY_LIMIT = 128 * 1024 * 1024
"""Bytes of an answer that is not streamed."""
MAX_CONNECTIONS = 16_384
"""Open at once: ConcurrencyLimit is what holds calls back, not a hidden queue in here."""
MAX_IDLE_CONNECTIONS = 256
KEEPALIVE = 4.0
"""Seconds that an idle connection is kept: less than the 5 after which uvicorn closes it."""


@dataclass(frozen=True, slots=True)
class Sdk:
    """The parts of the SDK that we use, whichever of its major versions is installed."""

    openai: Any
    http: Any
    """httpx under openai 2.x, httpx2 under 3.x."""

    @classmethod
    def load(cls) -> "Sdk":
        """Import the SDK. Takes half a second the first time."""
        openai = importlib.import_module("openai")
        is_old = int(openai.VERSION.split(".")[0]) < 3
        return cls(openai, importlib.import_module("httpx" if is_old else "httpx2"))

    def http_client(self) -> Any:
        """Return an HTTP client for the running loop: aiohttp's where possible, else httpx's."""
        settings = {
            "timeout": None,
            "limits": self.http.Limits(
                max_connections=MAX_CONNECTIONS,
                max_keepalive_connections=MAX_IDLE_CONNECTIONS,
                keepalive_expiry=KEEPALIVE,
            ),
            "event_hooks": {"response": [self._bound_body]},
        }
        if not is_trio(running_loop()):
            try:
                return self.openai.DefaultAioHttpClient(**settings)
            except RuntimeError:  # aiohttp is not installed
                pass
        return self.openai.DefaultAsyncHttpxClient(**settings)

    async def _bound_body(self, response: Any) -> None:
        headers: Mapping[str, str] = response.headers
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) <= BODY_LIMIT:
            return
        if not headers.get("content-type", "").startswith("text/event-stream"):
            response.stream = bounded(self.http.AsyncByteStream, response.stream, BODY_LIMIT)


def bounded(base: type[Any], stream: Any, limit: int) -> Any:
    """Return a byte stream that fails as soon as it is longer than the limit.

    Args:
        base: The HTTP library's own base class of streams.
        stream: What to read.
        limit: In bytes.
    """

    async def read(_: object) -> Any:
        size = 0
        pieces = aiter(stream)
        while piece := await anext(pieces, b""):
            size += len(piece)
            if size > limit:
                await stream.aclose()
                await exhaust(pieces)
                raise BackendProtocolError(
                    f"the server's answer is larger than {limit} bytes; whatever it is, it is no "
                    "chat completion",
                    retryable=False,
                )
            yield piece

    async def aclose(_: object) -> None:
        await stream.aclose()

    return type("BoundedStream", (base,), {"__aiter__": read, "aclose": aclose})()


async def exhaust(pieces: Any) -> None:
    """Read a closed stream to its end, or to the error that a closed connection gives.

    HTTP libraries nest async generators and do not close the inner ones: this finishes all of them.

    Args:
        pieces: An iterator over bytes.
    """
    try:
        while await anext(pieces, b""):
            pass
    except Exception:  # noqa: BLE001 - the answer has been read; what follows is nobody's concern
        return


MakeClient = Callable[[Sdk, Any], Any]
"""Makes the SDK's client, given the SDK and an HTTP client (None for the SDK's own choice)."""
