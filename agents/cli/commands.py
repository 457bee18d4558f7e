"""The commands of `callboard`, and how they end."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from callboard.agents.cli.chat import chat
from callboard.agents.cli.demo import demo
from callboard.agents.cli.exit_status import INTERRUPTED, USAGE
from callboard.agents.cli.printable import one_line
from callboard.agents.cli.replay import replay
from callboard.agents.version import VERSION

EPILOG = (
    "Without a backend's options, answers are random, offline and decided by --seed. "
    "Exit status: 0 ok, 1 failure, 2 usage, 4 backend unavailable, 130 interrupted."
)


def build() -> typer.Typer:
    """Return the application; the parts that take long to import wait until a command runs."""
    app = typer.Typer(
        name="callboard",
        help="Agents on actors: typed messages, and one interface to every model.",
        epilog=EPILOG,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_before_each)
    app.command()(demo)
    app.command()(chat)
    app.command()(replay)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command to its end and return its exit status.

    Expected errors are one line on stderr; any other exception is a bug and keeps its traceback.

    Args:
        arguments: The command line without the program's name; without any, help is shown.
    """
    try:
        status = build()(list(arguments) or ["--help"], "callboard", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception as error:
        said = _said(error)
        if said is None:
            raise
        sys.stderr.write(f"callboard: {one_line(said.line)}\n")
        return said.status
    return USAGE if not arguments else status or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    line: str
    status: int


def _said(error: Exception) -> _Said | None:
    """Say an expected error in one line; None for any other."""
    complaint = getattr(error, "format_message", None)
    if complaint is not None:  # The command line's own errors; typer has moved their classes about.
        path = getattr(getattr(error, "ctx", None), "command_path", "callboard")
        return _Said(line=f"{complaint().rstrip('.')}. Try `{path} --help`.", status=USAGE)
    from callboard.agents.cli.errors import EXPECTED, exit_status  # noqa: PLC0415 - seldom needed

    return (
        _Said(line=str(error), status=exit_status(error)) if isinstance(error, EXPECTED) else None
    )


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"callboard {VERSION}")
        raise typer.Exit


def _before_each(
    log_level: Annotated[
        str,
        typer.Option(
            "--log-level",
            metavar="LEVEL",
            envvar="CALLBOARD_LOG_LEVEL",
            help="What is logged to stderr: debug, info, warning, error.",
        ),
    ] = "error",
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and leave."
        ),
    ] = False,
) -> None:
    from callboard.agents.cli.log_output import log_to_stderr  # noqa: PLC0415 - only for commands

    log_to_stderr(log_level)
