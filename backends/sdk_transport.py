"""SdkTransport: carries calls through openai clients of our own, one for each event loop."""

from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial
from typing import Any

import anyio

from callboard.backends.classify import from_exception
from callboard.backends.credentials import secrets_in
from callboard.backends.per_loop import PerLoop
from callboard.backends.sdk import MakeClient, Sdk, exhaust
from callboard.backends.transport import Take
from callboard.backends.wire.event_stream import EventStream
from callboard.backends.wire.json_reading import decode_events, decode_json
from callboard.backends.wire.request_writing import ChatCall

PATH = "/chat/completions"
DRAIN = 0.05
"""Seconds to wait after `[DONE]` for the stream's end, so that its connection can serve again."""
REMEMBERED = 64
"""Secrets kept of those that credentials gave lately: more than calls are under way with."""
CLOSING = 5.0
"""Seconds that closing may take, which no cancellation can cut short."""

_END = b""
_WHOLE = ("application/json", "text/html")
"""Content types that are no stream, whatever was asked for."""


class SdkTransport:
    """Calls over `client.post`; answers come back as decoded JSON, unread.

    Making one imports the SDK, half a second once a process: here, so that no call's timeout and no
    running loop pays for it later.

    Args:
        make_client: Makes the SDK's client for the running loop.
        headers: Asked before each call for headers that prove who is calling; None where the
            client has them.
        where: The endpoint's name in messages.
        secrets: What the client has to prove who is calling.
        http_client: An HTTP client to be used and left open; None for one of our own.
    """

    def __init__(
        self,
        make_client: MakeClient,
        *,
        headers: Callable[[], Awaitable[Mapping[str, str]]] | None = None,
        where: str,
        secrets: Iterable[str] = (),
        http_client: Any = None,
    ) -> None:
        self._sdk = Sdk.load()
        self._headers = headers
        self._secrets = tuple(secrets)
        self._given: deque[str] = deque(maxlen=REMEMBERED)
        self._where = where
        # Functions, not methods: nothing in here may point back at this object, because the loss of
        # its last reference is what closes the clients of whoever forgot to.
        make = partial(_make, self._sdk, make_client, http_client)
        self._clients = PerLoop(make, _close if http_client is None else _leave_open)

    @property
    def secrets(self) -> Collection[str]:
        """What the client has, and what credentials gave lately."""
        return (*self._secrets, *self._given)

    async def whole(self, call: ChatCall) -> Any:
        """Send one call; see `Transport.whole`.

        Raises:
            BackendError: No answer came, or one that is no success.
        """
        response = await self._post(call, stream=False)
        return decode_json(response.content)

    async def pieces(self, call: ChatCall, take: Take) -> bool:
        """Send one call and hand over its chunks; see `Transport.pieces`.

        A server that does not stream although it was asked to is read as one chunk.

        Raises:
            BackendError: No answer came, it broke off, or it is no success.
        """
        response = await self._post(call, stream=True)
        stream = response.aiter_bytes()
        try:
            if response.headers.get("content-type", "").startswith(_WHOLE):
                await take(decode_json(await self._guarded(response.aread())))
                return True
            return await self._events(stream, take)
        finally:
            with anyio.move_on_after(CLOSING, shield=True):
                await response.aclose()
                await exhaust(stream)

    async def aclose(self) -> None:
        """Close the clients; used again, the transport opens new ones."""
        await self._clients.aclose()

    async def _events(self, stream: Any, take: Take) -> bool:
        events = EventStream()
        while piece := await self._guarded(anext(stream, _END)):
            for data in events.feed(piece):
                if await _hand_over(data, take):
                    await _drain(stream)
                    return True
        return any([await _hand_over(data, take) for data in events.end()])

    async def _post(self, call: ChatCall, *, stream: bool) -> Any:
        client = await self._clients.get()
        headers = call.headers
        if self._headers is not None:
            given = await self._headers()
            self._given.extend(word for word in secrets_in(given) if word not in self._given)
            headers = {**given, **headers}
        options = {"headers": headers} if headers else {}
        return await self._guarded(
            client.post(
                PATH,
                body=call.body(),
                cast_to=self._sdk.http.Response,
                options=options,
                stream=stream,
                stream_cls=self._sdk.openai.AsyncStream[Any],
            )
        )

    async def _guarded(self, awaitable: Awaitable[Any]) -> Any:
        try:
            return await awaitable
        except Exception as error:
            known = from_exception(error, where=self._where)
            if known is None or known is error:
                raise
            raise known from (error if known.status is None else None)


async def _hand_over(data: bytes, take: Take) -> bool:
    """Hand over the chunks in one event's data; return whether it was the last event."""
    if data.startswith(b"[DONE]"):
        return True
    for chunk in decode_events(data):
        await take(chunk)
    return False


async def _drain(stream: Any) -> None:
    with anyio.move_on_after(DRAIN):
        await exhaust(stream)


def _make(sdk: Sdk, make_client: MakeClient, http_client: Any) -> Any:
    return make_client(sdk, http_client or sdk.http_client())


async def _close(client: Any) -> None:
    await client.close()


async def _leave_open(_: Any) -> None:
    """The HTTP client is its owner's."""
