"""Decides what a failure means: the one place where foreign errors become ours.

Pure: a status, headers and a body, or an exception of an SDK, go in, and a `BackendError` comes
out. Exceptions are known by the names in their ancestry, so that no SDK need be imported, and
openai 2.x and 3.x, httpx, httpx2 and aiohttp are all understood.
"""

import re
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast

from callboard.backends.error_body import ErrorBody, read_error_body
from callboard.backends.errors import (
    AuthenticationError,
    BackendError,
    BackendProtocolError,
    BackendTimeoutError,
    BadRequestError,
    ConnectionFailedError,
    ContentFilterError,
    ContextLengthError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
)
from callboard.backends.retry_after import read_retry_after
from callboard.backends.wire.foreign import field

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

_ADVICE: dict[type[BackendError], str] = {
    AuthenticationError: "check the key, and that it belongs to this endpoint",
    PermissionDeniedError: "the key is known but may not do this; ask whoever runs the endpoint",
    NotFoundError: "check the model's name, and that base_url is the API's root (often .../v1)",
    RateLimitError: "wait (retry_after, where given) and try again, or send less at a time",
    OverloadedError: "try again later",
    BadRequestError: "the request must change before it can succeed",
    ContextLengthError: "shorten the conversation or the tools, or ask for fewer tokens",
    ContentFilterError: "change what is sent, or the filter's settings at the endpoint",
    BackendProtocolError: "check that base_url points to an OpenAI-compatible API",
}

_BY_STATUS: dict[int, type[BackendError]] = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    408: OverloadedError,
    409: OverloadedError,
    425: OverloadedError,
    429: RateLimitError,
}

_STATUS_OF_WORD = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "bad_request": 400,
    "context_length_exceeded": 400,
    "content_filter": 400,
    "authentication_error": 401,
    "invalid_api_key": 401,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "model_not_found": 404,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
}
"""What servers call an error that they send in a successful answer's clothes."""

_NOT_RETRYABLE = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Words that make a 429 permanent."""

_TOO_LONG = re.compile(
    r"context.{0,3}length|context.{0,3}window|maximum (?:model )?length|max_model_len"
    r"|(?:prompt|input|request) is too long|too many (?:input )?tokens|exceeds? the .{0,20}context"
    r"|reduce the length|token limit",
    re.IGNORECASE,
)
_FILTERED = re.compile(
    r"content.{0,3}(?:filter|management policy|policy violation)|responsible ?ai|safety system",
    re.IGNORECASE,
)


def from_status(
    status: int,
    *,
    headers: Mapping[str, str] = _NO_HEADERS,
    body: Any = None,
    where: str = "the server",
) -> BackendError:
    """Say what an HTTP answer that is no success means.

    Args:
        status: The HTTP status; one below 400 means that a success could not be read.
        headers: Of the answer, by lower-case names.
        body: Decoded JSON, or text.
        where: Who answered, for the message.
    """
    said = read_error_body(body)
    kind = _kind(status, said)
    verdict = headers.get("x-should-retry")
    retryable = {"true": True, "false": False}.get(verdict or "")
    if retryable is None and (said.words & _NOT_RETRYABLE or status == 501):
        retryable = False
    return kind(
        f"{where} answered {status}{': ' if said.message else ''}{said.message}; {_ADVICE[kind]}",
        status=status,
        request_id=headers.get("x-request-id") or headers.get("apim-request-id"),
        retry_after=read_retry_after(headers, now=time.time()),
        retryable=retryable,
        body=said.text,
    )


def error_in_answer(answer: Any, *, where: str = "the server") -> BackendError | None:
    """Say what an error means that came with status 200, or as an event of a stream.

    Args:
        answer: The decoded answer or event.
        where: Who answered, for the message.

    Returns:
        The error; None if the answer does not speak of one.
    """
    if not field(answer, "error") and field(answer, "object") != "error":
        return None
    said = read_error_body(answer)
    named = (_STATUS_OF_WORD[word] for word in said.words if word in _STATUS_OF_WORD)
    return from_status(said.code or next(named, 500), body=answer, where=where)


def from_exception(error: Exception, *, where: str = "the server") -> BackendError | None:
    """Say what an exception of an SDK, an HTTP library or a socket means.

    Args:
        error: Anything that a client raised.
        where: Who was asked, for the message.

    Returns:
        The error; None if it has nothing to do with the model call, as a mistake in a program.
    """
    ours = next((cause for cause in _causes(error) if isinstance(cause, BackendError)), None)
    if ours is not None:  # openai 2.x wraps whatever is raised below it
        return ours
    status = getattr(error, "status_code", None)
    if type(status) is int:
        return _from_response(error, status, where)
    names = {cls.__name__ for cls in type(error).__mro__}
    if isinstance(error, TimeoutError) or names & _TIMEOUTS:
        return _timed_out(error, where)
    if isinstance(error, ConnectionError) or names & _BROKEN:
        return _broken(error, where)
    if names & _UNREADABLE:
        return BackendProtocolError(
            f"the answer of {where} can't be read ({_shown(error)}); "
            f"{_ADVICE[BackendProtocolError]}"
        )
    body = getattr(error, "body", None)
    return error_in_answer({"error": body}, where=where) if "APIError" in names and body else None


_TIMEOUTS = frozenset({"APITimeoutError", "TimeoutException"})
_BROKEN = frozenset(
    {
        "APIConnectionError",  # openai
        "TransportError",  # httpx, httpx2
        "ClientConnectionError",  # aiohttp
        "ClientPayloadError",
        "ServerDisconnectedError",
        "BrokenResourceError",  # anyio, trio
        "EndOfStream",
        "gaierror",
        "SSLError",
    }
)
_MISTAKES = frozenset({RuntimeError, TypeError, ValueError, AttributeError, KeyError})
"""openai 2.x calls these connection errors too: an event loop that is closed, a wrong argument."""
_UNREADABLE = frozenset(
    {"JSONDecodeError", "DecodingError", "APIResponseValidationError", "ValidationError"}
)


def _kind(status: int, said: ErrorBody) -> type[BackendError]:
    if status < 400:
        return BackendProtocolError
    if status >= 500:
        return OverloadedError
    if status in (400, 413, 422):
        if "context_length_exceeded" in said.words or _TOO_LONG.search(said.message):
            return ContextLengthError
        if _FILTERED.search(said.message) or any(map(_FILTERED.search, said.words)):
            return ContentFilterError
    return _BY_STATUS.get(status, BadRequestError)


def _from_response(error: Exception, status: int, where: str) -> BackendError:
    response = getattr(error, "response", None)
    headers: Any = getattr(response, "headers", None)
    body = getattr(error, "body", None)
    return from_status(
        status,
        headers=cast("Mapping[str, str]", headers) if isinstance(headers, Mapping) else _NO_HEADERS,
        body=body if body is not None else str(error),
        where=where,
    )


def _timed_out(error: Exception, where: str) -> BackendError:
    # The aiohttp transport calls every broken connection a timeout; the first cause knows better.
    first = list(_causes(error))[-1]
    names = {cls.__name__ for cls in type(first).__mro__}
    if not isinstance(first, TimeoutError) and not names & _TIMEOUTS:
        return _broken(error, where)
    return BackendTimeoutError(
        f"the client of {where} gave up waiting ({_shown(first)}); allow it more time, or leave "
        "timeouts to the Timeout middleware and the request's own timeout",
        retryable=True,
    )


def _broken(error: Exception, where: str) -> BackendError:
    first = list(_causes(error))[-1]
    if type(first) in _MISTAKES:
        return BackendError(
            f"the call to {where} failed with {_shown(first)}; the connection is not to blame, so "
            "trying again won't help"
        )
    return ConnectionFailedError(
        f"no whole answer from {where} ({_shown(first)}); check that it runs and that base_url "
        "is right, or try again"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__


def _shown(error: BaseException) -> str:
    words = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
