"""Errors carry their values, inherit builtins where that is true, say what to do, and pickle."""

import pickle

import pytest

from callboard.runtime.address import Address
from callboard.runtime.errors import (
    ActorError,
    ActorRestartedError,
    ActorStoppedError,
    AskCycleError,
    AskTimeoutError,
    EscalatedError,
    HandlerError,
    MailboxFullError,
    NameTakenError,
    UnhandledMessageError,
)

HERE = Address("main", "a")

ERRORS = [
    HandlerError(HERE, "Add", KeyError("x")),
    AskTimeoutError(HERE, "Add", 2.0, "queued"),
    AskCycleError([HERE, Address("main", "b"), HERE], "Add"),
    MailboxFullError(HERE, "Add", 4, "block"),
    ActorStoppedError(HERE, "Add"),
    ActorRestartedError(HERE, "Add"),
    UnhandledMessageError(HERE, "Add", ["Sub"]),
    NameTakenError(HERE),
    EscalatedError(HERE, 4, 5.0, KeyError("x")),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_pickles_with_its_fields(error: ActorError) -> None:
    """An error that crosses a process arrives with message and fields."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy).keys() == vars(error).keys()


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_names_the_actor(error: ActorError) -> None:
    """Every message says which actor it is about."""
    assert "a" in str(error)
    assert len(str(error)) > 40


def test_builtins() -> None:
    """Errors are also the builtin errors that they are kinds of."""
    assert issubclass(AskTimeoutError, TimeoutError)
    assert issubclass(UnhandledMessageError, TypeError)
    assert issubclass(NameTakenError, ValueError)


def test_cycle_shows_the_path() -> None:
    """The path is readable in the message."""
    assert "a -> b -> a" in str(ERRORS[2])
