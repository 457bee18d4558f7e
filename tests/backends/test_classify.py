"""Failures, classified once: statuses, bodies of every shape, exceptions of every library."""

import pickle
import socket
import ssl
import time
from email.utils import formatdate

import aiohttp
import anyio
import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from callboard.backends import (
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
from callboard.backends.classify import from_exception, from_status
from callboard.backends.retry_after import read_retry_after

STATUS = [
    (400, BadRequestError, False),
    (401, AuthenticationError, False),
    (403, PermissionDeniedError, False),
    (404, NotFoundError, False),
    (405, BadRequestError, False),
    (408, OverloadedError, True),
    (409, OverloadedError, True),
    (413, BadRequestError, False),
    (418, BadRequestError, False),
    (422, BadRequestError, False),
    (425, OverloadedError, True),
    (429, RateLimitError, True),
    (500, OverloadedError, True),
    (501, OverloadedError, False),
    (502, OverloadedError, True),
    (503, OverloadedError, True),
    (529, OverloadedError, True),
    (200, BackendProtocolError, True),
    (304, BackendProtocolError, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), STATUS)
def test_status(status, kind, retryable):
    """Each status has one meaning, and its error says what to do."""
    error = from_status(status, where="http://host/v1")
    assert type(error) is kind
    assert (error.status, error.retryable) == (status, retryable)
    assert f"http://host/v1 answered {status}; " in str(error)


LONG = "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens."
BODIES = [
    (400, {"error": {"message": LONG, "code": "context_length_exceeded"}}, ContextLengthError),
    (400, {"error": {"message": LONG}}, ContextLengthError),
    (400, {"object": "error", "message": LONG, "code": 400}, ContextLengthError),
    (413, {"error": "prompt is too long: 210000 tokens > 200000 maximum"}, ContextLengthError),
    (422, {"detail": [{"msg": "the input is too long", "loc": ["body"]}]}, ContextLengthError),
    (400, {"error": {"message": "m", "code": "content_filter"}}, ContentFilterError),
    (
        400,
        {"error": {"message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}},
        ContentFilterError,
    ),
    (400, {"error": {"message": "triggering our content management policy"}}, ContentFilterError),
    (400, "a plain text", BadRequestError),
    (400, ["a", "list"], BadRequestError),
    (400, [{"error": {"message": "in a list", "status": "INVALID_ARGUMENT"}}], BadRequestError),
    (400, {"error": None}, BadRequestError),
    (400, {"error": True, "message": "said elsewhere"}, BadRequestError),
    (400, None, BadRequestError),
    (400, 7, BadRequestError),
    (502, "<html><body>Bad Gateway</body></html>", OverloadedError),
    (404, "", NotFoundError),
]


@pytest.mark.parametrize(("status", "body", "kind"), BODIES)
def test_bodies(status, body, kind):
    """Bodies may be objects, lists or text; their words refine the status."""
    error = from_status(status, body=body)
    assert type(error) is kind
    assert "<html" not in str(error)


def test_the_servers_words_are_quoted():
    """The message quotes the server, shortened, and the body is kept up to its limit."""
    error = from_status(400, body={"error": {"message": "no such\n field " + "x" * 5000}})
    assert "no such field xxx" in str(error)
    assert len(str(error)) < 1000
    assert error.body is not None
    assert len(error.body) == 2000


def test_a_page_is_kept_in_the_body_only():
    """Of an HTML page nothing gets into the message."""
    error = from_status(502, body="<!DOCTYPE html><h1>Bad Gateway</h1>")
    assert str(error) == "the server answered 502; try again later"
    assert error.body == "<!DOCTYPE html><h1>Bad Gateway</h1>"


def test_fields_from_headers():
    """Request id, waiting time and the server's own verdict come from the headers."""
    headers = {"x-request-id": "r1", "retry-after-ms": "1500", "retry-after": "9"}
    error = from_status(429, headers=headers)
    assert (error.request_id, error.retry_after, error.retryable) == ("r1", 1.5, True)
    assert from_status(500, headers={"x-should-retry": "false"}).retryable is False
    assert from_status(400, headers={"x-should-retry": "true"}).retryable is True


def test_a_used_up_quota_is_not_retried():
    """A 429 that waiting does not mend is not retryable."""
    body = {"error": {"message": "m", "code": "insufficient_quota"}}
    assert from_status(429, body=body).retryable is False


def test_no_key_in_an_error():
    """Keys that a server echoes are redacted from message and body."""
    key = "sk-test-1234567890abcdef"
    error = from_status(401, body={"error": {"message": f"Incorrect API key provided: {key}"}})
    assert key not in f"{error} {error!r} {error.body} {pickle.dumps(error)!r}"


NOW = 1_700_000_000.0
WAITS = [
    ({}, None),
    ({"retry-after": "3"}, 3.0),
    ({"retry-after": "0.25"}, 0.25),
    ({"retry-after": "0"}, 0.0),
    ({"retry-after": "-1"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "inf"}, None),
    ({"retry-after": "soon"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30.0),
    ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0.0),
    ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ({"retry-after-ms": "x", "retry-after": "9"}, 9.0),
]


@pytest.mark.parametrize(("headers", "expected"), WAITS)
def test_retry_after(headers, expected):
    """Milliseconds go before seconds and dates; nonsense is as good as nothing."""
    assert read_retry_after(headers, now=NOW) == expected


@given(st.text(max_size=30))
def test_any_retry_after(value):
    """Whatever the header holds, the wait is finite and not negative, or none."""
    wait = read_retry_after({"retry-after": value}, now=time.time())
    assert wait is None or 0 <= wait < float("inf")


@given(
    st.integers(200, 599),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["error", "message", "code", "detail", "x"]), inner)
        ),
    ),
)
def test_any_body(status, body):
    """No body can keep an error from being classified."""
    assert isinstance(from_status(status, body=body), BackendError)


REQUEST = httpx2.Request("POST", "http://host/v1/chat/completions")


def caused(error, cause):
    error.__cause__ = cause
    return error


def status_error(status, body, headers=None):
    response = httpx2.Response(status, headers=headers, request=REQUEST, text="text")
    return openai.APIStatusError("m", response=response, body=body)


EXCEPTIONS = [
    (status_error(429, {"message": "slow"}, {"Retry-After": "2"}), RateLimitError),
    (status_error(404, None), NotFoundError),
    (openai.APITimeoutError(request=REQUEST), BackendTimeoutError),
    (
        caused(openai.APITimeoutError(request=REQUEST), httpx2.ReadTimeout("t")),
        BackendTimeoutError,
    ),
    (
        # The aiohttp transport reports every broken connection as a timeout of the connection.
        caused(
            openai.APITimeoutError(request=REQUEST),
            caused(httpx2.ConnectTimeout("x"), aiohttp.ServerDisconnectedError()),
        ),
        ConnectionFailedError,
    ),
    (openai.APIConnectionError(request=REQUEST), ConnectionFailedError),
    (httpx2.ReadError("broken"), ConnectionFailedError),
    (httpx2.PoolTimeout("full"), BackendTimeoutError),
    (aiohttp.ClientPayloadError("cut"), ConnectionFailedError),
    (aiohttp.ServerTimeoutError("slow"), BackendTimeoutError),
    (ConnectionResetError("reset"), ConnectionFailedError),
    (socket.gaierror("no such host"), ConnectionFailedError),
    (ssl.SSLError("certificate"), ConnectionFailedError),
    (anyio.BrokenResourceError(), ConnectionFailedError),
    (TimeoutError("late"), BackendTimeoutError),
    (httpx2.DecodingError("gzip"), BackendProtocolError),
    (
        openai.APIResponseValidationError(httpx2.Response(200, request=REQUEST), body=None),
        BackendProtocolError,
    ),
    (
        openai.APIError("m", REQUEST, body={"message": "in the stream", "code": 429}),
        RateLimitError,
    ),
    (openai.APIError("m", REQUEST, body={"message": "in the stream"}), OverloadedError),
]


@pytest.mark.parametrize(("error", "kind"), EXCEPTIONS, ids=lambda value: type(value).__name__)
def test_exceptions(error, kind):
    """Exceptions of openai, httpx2, aiohttp and of sockets become one tree."""
    found = from_exception(error)
    assert type(found) is kind
    assert found.retryable is (kind is not NotFoundError)


def test_waiting_time_of_an_sdk_error():
    """The fields of an SDK error come over, its headers in any case."""
    found = from_exception(EXCEPTIONS[0][0])
    assert (found.status, found.retry_after) == (429, 2.0)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("loop"), KeyError("k"), OSError()])
def test_mistakes_are_no_failures_of_the_call(error):
    """What has nothing to do with the call is not dressed up as a failure of it."""
    assert from_exception(error) is None


def test_our_own_errors_pass():
    """An error that is one of ours already stays itself, also where an SDK has wrapped it."""
    error = RateLimitError("x")
    assert from_exception(error) is error
    assert from_exception(caused(openai.APIConnectionError(request=REQUEST), error)) is error


def test_a_loop_error_is_no_connection_failure():
    """What openai 2.x takes for a failed connection is not retried if it is a mistake."""
    cause = RuntimeError("Event loop is closed")
    error = from_exception(caused(openai.APIConnectionError(request=REQUEST), cause))
    assert type(error) is BackendError
    assert not error.retryable
    assert "Event loop is closed" in str(error)
