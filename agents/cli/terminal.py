"""Terminal: what a chat reads from its user and shows to them."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any, TextIO

from rich.console import Console

from callboard.agents.cli.printable import one_line, printable

PROMPT = "you> "


class Terminal:
    """Reads the user's lines, shows answers on stdout, and says everything else on stderr.

    Args:
        stdin: Where lines come from.
        stdout: Where answers go.
        stderr: Where notes go; coloured only if it is a terminal and NO_COLOR is not set.
    """

    def __init__(self, stdin: TextIO, stdout: TextIO, stderr: TextIO) -> None:
        self._stdin = stdin
        self._stdout = stdout
        self._notes = Console(file=stderr, highlight=False, soft_wrap=True)
        self.interactive = stdin.isatty()
        """Whether somebody types; then mistakes are told and the chat goes on."""

    @classmethod
    def of_this_process(cls) -> "Terminal":
        """Return the terminal that this process was started on."""
        if sys.stdin.isatty():
            _edit_lines()
        else:
            _be_lenient(sys.stdin)
        return cls(sys.stdin, sys.stdout, sys.stderr)

    def lines(self) -> Iterator[str]:
        """Yield what the user enters, stripped and without empty lines, until the input ends."""
        while True:
            try:
                line = self._read()
            except EOFError:
                return
            if line.strip():
                yield line.strip()

    def _read(self) -> str:
        if self.interactive and self._stdout.isatty():
            return input(PROMPT)  # with the line editor, where there is one
        if self.interactive:
            self._notes.print(PROMPT, end="")
        line = self._stdin.readline()
        if not line:
            raise EOFError
        return line

    def show(self, text: str) -> None:
        """Show a piece of an answer at once."""
        self._stdout.write(printable(text))
        self._stdout.flush()

    def think(self, text: str) -> None:
        """Show a piece of the model's thinking, apart from its answer."""
        self._notes.print(printable(text), style="dim", markup=False, end="")

    def note(self, text: str) -> None:
        """Say something that is no answer."""
        self._notes.print(one_line(text), style="dim", markup=False)

    def complain(self, text: str) -> None:
        """Say in one line what went wrong."""
        self._notes.print(f"callboard: {one_line(text)}", style="red", markup=False)


def _edit_lines() -> None:
    # Importing it gives `input` an editor and a history; Windows has none, and needs none.
    with suppress(ImportError):
        import_module("readline")


def _be_lenient(stream: Any) -> None:
    # Bytes that are no text become replacement characters instead of a traceback.
    stream.reconfigure(errors="replace")
