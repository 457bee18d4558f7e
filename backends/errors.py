"""Everything that can go wrong with a model call, classified once, where the foreign answer enters.

    BackendError
    ├── AuthenticationError        the key is missing or wrong (401)
    ├── PermissionDeniedError      the key may not do this (403)
    ├── NotFoundError              no such model, deployment or path (404)
    ├── RateLimitError             too many requests or tokens (429); retryable
    ├── OverloadedError            the server can't serve now (408, 409, 5xx); retryable
    ├── BadRequestError            the server refuses the request (other 4xx)
    │   ├── ContextLengthError     the conversation does not fit the model
    │   └── ContentFilterError     a filter stopped the request or the answer
    ├── RefusalError               the model declined to answer in the requested form
    ├── TruncatedError             the answer hit the token limit before it was whole
    ├── StructuredOutputError      the answer does not fit the output type, after repairs
    ├── ToolError                  the tool loop can't go on
    ├── BackendTimeoutError        a timeout or the deadline passed; also a TimeoutError
    ├── ConnectionFailedError      no answer, or it broke off; also a ConnectionError; retryable
    ├── BackendProtocolError       the answer is no answer: garbage, empty, HTML; retryable
    ├── CapabilityError            the backend can't do what the request asks for
    ├── EngineError                the in-process model's thread serves no more (local/errors.py)
    ├── MissingExtraError          torch or transformers is not installed (local/errors.py)
    └── ScriptExhaustedError       a ScriptedBackend has no answer left (scripted_backend.py)

No message, repr or field ever holds a key: bodies pass through `redact` before they are kept.
"""

from collections.abc import Mapping
from typing import ClassVar

from callboard.ambient.redaction import redact

BODY_LIMIT = 2_000
"""Characters of a foreign body that an error keeps."""


class BackendError(Exception):
    """A model call failed; the base of every error that a backend or a middleware raises.

    Args:
        message: What happened, with which values, and what to do next.
        status: HTTP status, None where no HTTP answer arrived.
        request_id: The server's name for the request, to quote to its operator.
        retry_after: Seconds the server asked us to wait.
        retryable: Whether the same request may succeed later; None takes the class's own answer.
        body: The start of the foreign answer, secrets removed.
    """

    retryable_by_default: ClassVar[bool] = False
    """Whether the same request may succeed later, unless the server says otherwise."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(redact(message))
        self.status = status
        """HTTP status, None where no HTTP answer arrived."""
        self.request_id = request_id
        """The server's name for the request."""
        self.retry_after = retry_after
        """Seconds the server asked us to wait, None if it said nothing."""
        self.retryable = self.retryable_by_default if retryable is None else retryable
        """Whether the same request may succeed later."""
        self.body = None if body is None else redact(body[:BODY_LIMIT])
        """The start of the foreign answer, secrets removed."""

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross process boundaries with their fields."""
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[BackendError], args: tuple[object, ...], fields: Mapping[str, object]
) -> BackendError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(fields)
    return error


class AuthenticationError(BackendError):
    """The key is missing, wrong or expired (401)."""


class PermissionDeniedError(BackendError):
    """The key is known and may not do this (403)."""


class NotFoundError(BackendError):
    """No such model, deployment or path (404)."""


class RateLimitError(BackendError):
    """Too many requests or tokens in a while (429); `retry_after` says how long to wait."""

    retryable_by_default = True


class OverloadedError(BackendError):
    """The server can't serve the request now (408, 409, 5xx)."""

    retryable_by_default = True


class BadRequestError(BackendError):
    """The server refuses the request as it is (400, 413, 422 and other 4xx)."""


class ContextLengthError(BadRequestError):
    """The conversation, tools and answer do not fit the model's context."""


class ContentFilterError(BadRequestError):
    """A content filter stopped the request, or cut the answer off."""


class RefusalError(BackendError):
    """The model declined to answer in the requested form; its words are in `refusal`."""

    def __init__(self, message: str, *, refusal: str, request_id: str | None = None) -> None:
        super().__init__(message, request_id=request_id)
        self.refusal = refusal
        """What the model said instead."""


class TruncatedError(BackendError):
    """The answer hit its token limit before it was whole; the text so far is in `body`."""


class StructuredOutputError(BackendError):
    """The answer does not fit the output type, repairs included; the last text is in `body`."""

    def __init__(
        self, message: str, *, problems: tuple[str, ...] = (), body: str | None = None
    ) -> None:
        super().__init__(message, body=body)
        self.problems = problems
        """What was wrong with the last answer, one sentence each."""


class ToolError(BackendError):
    """The tool loop can't go on: too many turns, or a tool that can't be called at all."""


class BackendTimeoutError(BackendError, TimeoutError):
    """The whole call's deadline, or one attempt's timeout, passed.

    An attempt's timeout is retryable, the deadline is not.
    """


class ConnectionFailedError(BackendError, ConnectionError):
    """No connection, or it broke before the answer was whole."""

    retryable_by_default = True


class BackendProtocolError(BackendError):
    """The answer is no answer: not JSON, empty, HTML, no choices."""

    retryable_by_default = True


class CapabilityError(BackendError):
    """The backend can't do what the request asks for; nothing was sent."""
