"""The command line as a whole: help, version, usage errors and exit statuses."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from callboard.agents.cli.errors import CommandFailedError, UsageError, exit_status
from callboard.agents.version import VERSION
from callboard.backends.errors import (
    AuthenticationError,
    BackendTimeoutError,
    BadRequestError,
    ConnectionFailedError,
)

ROOT = Path(__file__).parents[3]


def test_the_version_is_the_distributions() -> None:
    """The constant and pyproject.toml say the same."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_version(run: Any) -> None:
    """`--version` answers on stdout, also beside other options."""
    for arguments in (["--version"], ["--log-level", "info", "--version"]):
        done = run(*arguments)
        assert (done.status, done.out, done.err) == (0, f"callboard {VERSION}\n", "")


def test_help(run: Any) -> None:
    """Help lists the commands, each command's help its options, and the exit statuses are told."""
    done = run("--help")
    assert done.status == 0
    assert "chat" in done.out
    assert "4 backend unavailable" in " ".join(done.out.split())
    done = run("chat", "--help")
    assert done.status == 0
    for option in ("--base-url", "--model", "--api-key-env", "--local", "--seed", "--load"):
        assert option in done.out


def test_without_arguments_it_shows_help_and_leaves_with_usage(run: Any) -> None:
    """Nothing was asked for, so nothing was done."""
    done = run()
    assert done.status == 2
    assert "Commands" in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chat", "--modle", "x"], "--modle"),
        (["chta"], "chat"),
        (["chat", "--seed", "many"], "--seed"),
        (["--log-level", "loud", "chat"], "--log-level is one of"),
        (["chat", "--base-url", "http://127.0.0.1:9/v1"], "Add --model NAME"),
        (["chat", "--model", "m"], "Add --base-url"),
        (["chat", "--base-url", "localhost", "--model", "m"], "http:// or https://"),
        (["chat", "--local", "x", "--model", "m"], "leave out --base-url and --model"),
        (["chat", "--api-key-env", "NOPE", "--base-url", "http://x", "--model", "m"], "NOPE"),
        (["chat", "--load", "missing.json"], "missing.json"),
    ],
)
def test_wrong_usage_is_one_line_and_status_2(run: Any, arguments: list[str], said: str) -> None:
    """What is wrong and what to write instead, on stderr, without a traceback."""
    done = run(*arguments)
    assert done.status == 2
    assert said in done.err
    assert done.err.startswith("callboard: ")
    assert done.err.count("\n") == 1
    assert done.out == ""


def test_a_key_that_is_missing_is_told_before_anything_is_asked(run: Any) -> None:
    """A remote endpoint without a key: what to set, and status 4."""
    done = run("chat", "--base-url", "https://example.invalid/v1", "--model", "m", text="hi\n")
    assert done.status == 4
    assert "OPENAI_API_KEY" in done.err
    assert done.err.count("\n") == 1


def test_statuses() -> None:
    """Each kind of failure has its status."""
    assert exit_status(UsageError("x")) == 2
    assert exit_status(CommandFailedError("x")) == 1
    assert exit_status(BadRequestError("x")) == 1
    assert exit_status(ConnectionFailedError("x")) == 4
    assert exit_status(BackendTimeoutError("x")) == 4
    assert exit_status(AuthenticationError("x")) == 4
    assert exit_status(KeyboardInterrupt()) == 130
