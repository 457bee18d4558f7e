"""Errors carry their data, cross processes, and never quote a key."""

import pickle

import pytest

from callboard.backends import errors
from callboard.backends.errors import (
    BackendError,
    BackendTimeoutError,
    ConnectionFailedError,
    RateLimitError,
    RefusalError,
    StructuredOutputError,
)

KEY = "sk-canary0123456789"
ALL = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, BackendError)
]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Every class stands in the drawing, under its base."""
    assert errors.__doc__ is not None
    for error in ALL:
        assert error.__name__ in errors.__doc__


def test_builtin_families_hold() -> None:
    """Whoever catches TimeoutError or ConnectionError catches ours."""
    assert issubclass(BackendTimeoutError, TimeoutError)
    assert issubclass(ConnectionFailedError, ConnectionError)


@pytest.mark.parametrize(
    "error",
    [
        RateLimitError("slow down", status=429, retry_after=2.5, request_id="r1", body="{}"),
        RefusalError("it said no", refusal="I can't"),
        StructuredOutputError("bad", problems=("too short",), body="{}"),
    ],
)
def test_errors_pickle_with_their_fields(error: BackendError) -> None:
    """A worker's error arrives as what it was."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert copy.args == error.args
    assert vars(copy) == vars(error)


def test_the_class_decides_unless_the_server_does() -> None:
    """`retryable` follows the class, or what was said about this one error."""
    assert RateLimitError("x").retryable
    assert not RateLimitError("x", retryable=False).retryable
    assert not BackendError("x").retryable


def test_no_key_survives() -> None:
    """Neither the words nor the body of an error hold a key, and the body is bounded."""
    error = BackendError(f"key {KEY} refused", body=f"Authorization: Bearer {KEY}" + "x" * 9999)
    assert KEY not in str(error) + repr(error) + str(error.body)
    assert error.body is not None
    assert len(error.body) < 3000
