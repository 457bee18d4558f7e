"""The command `callboard replay`: its options, and what it prints."""

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from callboard.runtime.journal.life import Life

_FILTER = "Which messages"
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]


class Outcome(StrEnum):
    """How a message can end, reasons of dead letters included."""

    HANDLED = "handled"
    FAILED = "failed"
    DEAD = "dead"
    UNFINISHED = "unfinished"
    STOPPED = "stopped"
    RESTARTED = "restarted"
    UNHANDLED = "unhandled"
    EXPIRED = "expired"
    ASKER_CANCELLED = "asker_cancelled"
    DROPPED_OLDEST = "dropped_oldest"
    DROPPED_NEWEST = "dropped_newest"
    MAILBOX_FULL = "mailbox_full"
    NOT_JOURNALLED = "not_journalled"
    POISON = "poison"


def replay(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A journal's folder, or one of its segments.")
    ],
    actor: Annotated[
        list[str] | None,
        typer.Option(
            "--actor",
            metavar="PATH",
            help="Sent or received by this actor or one below it; * matches any. Repeatable.",
            rich_help_panel=_FILTER,
        ),
    ] = None,
    message_type: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="NAME",
            help="Of this message class, with or without its module. Repeatable.",
            rich_help_panel=_FILTER,
        ),
    ] = None,
    outcome: Annotated[
        list[Outcome] | None,
        typer.Option(
            "--outcome",
            metavar="OUTCOME",
            help="handled, failed, dead, unfinished; or why it is dead, such as expired. "
            "Repeatable.",
            rich_help_panel=_FILTER,
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            metavar="TIME",
            formats=_TIMES,
            help="Accepted then or later: 2026-11-21, 2026-11-21T10:30, with seconds, with +0100.",
            rich_help_panel=_FILTER,
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until",
            metavar="TIME",
            formats=_TIMES,
            help="Accepted before.",
            rich_help_panel=_FILTER,
        ),
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Show long bodies to their end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the messages of a journal, and what became of them.

    One line for each message, in the order in which they ended: number,
    time, outcome, kind and class, sender -> recipient, milliseconds in the
    mailbox + in the handler, body. What a crash left unfinished comes at
    the end of its session.

    Nothing is changed, so that the journal of a running program can be
    read, too. To run an actor from a journal: callboard.runtime.journal.replay.
    """
    from callboard.agents.cli.journal_filter import JournalFilter  # noqa: PLC0415 - takes a while
    from callboard.agents.cli.journal_lines import json_line, text_line  # noqa: PLC0415 - same

    wanted = JournalFilter(
        actors=tuple(actor or ()),
        types=tuple(message_type or ()),
        outcomes=tuple(one.value for one in outcome or ()),
        since=since,
        until=until,
    )
    matching = filter(wanted.matches, _read(file))
    _print(json_line(life) if json else text_line(life, whole=whole) for life in matching)


def _read(file: Path) -> "Iterator[Life]":
    from callboard.agents.cli.errors import CommandFailedError  # noqa: PLC0415 - takes a while
    from callboard.runtime.journal.errors import JournalError  # noqa: PLC0415 - same
    from callboard.runtime.journal.life import lives  # noqa: PLC0415 - same
    from callboard.runtime.journal.reader import JournalReader  # noqa: PLC0415 - same

    try:
        reader = JournalReader(file)
        yield from lives(reader)
    except (JournalError, OSError) as error:
        raise CommandFailedError(str(error)) from error
    if reader.torn is not None:
        typer.echo(f"callboard: {reader.torn}: a crash, or still being written", err=True)


def _print(lines: Iterator[str]) -> None:
    try:
        for line in lines:
            sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough: `callboard replay runs/x | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
