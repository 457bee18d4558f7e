"""Runs the real command line in processes of its own, on pipes and on a pseudo-terminal."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-W", "error", "-m", "callboard.agents.cli"]
ADOPT = (  # A session leader that opens a terminal gets it as its own, and with it Ctrl-C.
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


def clean_environment(**more: str) -> dict[str, str]:
    """Return this process's environment without what chooses backends, and without colours."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CALLBOARD_", "OPENAI_"))
    }
    return {**kept, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "100", **more}


@dataclass(frozen=True)
class Done:
    """How a run of the command line ended."""

    status: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run `callboard` with arguments, input on a pipe and environment; wait for its end."""

    def start(*arguments: str, text: str | bytes = "", **environment: str) -> Done:
        done = subprocess.run(
            [*PROGRAM, *arguments],
            input=text.encode() if isinstance(text, str) else text,
            capture_output=True,
            timeout=50,
            cwd=tmp_path,
            env=clean_environment(**environment),
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return start


class Talk:
    """`callboard` on a pseudo-terminal: what somebody who sits there would see and type."""

    def __init__(self, master: int, process: "subprocess.Popen[bytes]") -> None:
        self._master, self._process = master, process
        self.seen = ""

    def expect(self, text: str) -> str:
        """Read until the text appears; return what stood before it, and drop both."""
        deadline = time.monotonic() + 40
        while text not in self.seen:
            ready, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert ready, f"waited for {text!r}, saw {self.seen!r}"
            self.seen += os.read(self._master, 4096).decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, text: str) -> None:
        """Type something, control characters included."""
        os.write(self._master, text.encode())

    def leave(self, key: str = "") -> int:
        """Wait for the end and return the status.

        Args:
            key: Pressed again and again until the end comes. A Ctrl-C in the moment between the
                prompt and the line editor's wait for a key is noticed at the next key only.
        """
        while True:
            self.type(key)
            while select.select([self._master], [], [], 2.0 if key else 40.0)[0]:
                try:  # What nobody reads would block its writer.
                    os.read(self._master, 4096)
                except OSError:  # That is how Linux says that the other side is closed.
                    return self._process.wait(30)
            assert key, "the process did not end"


@pytest.fixture
def talk(tmp_path: Path) -> Iterator[Callable[..., Talk]]:
    """Start `callboard` on a pseudo-terminal."""
    started: list[tuple[int, subprocess.Popen[bytes]]] = []

    def start(*arguments: str, **environment: str) -> Talk:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", ADOPT, *PROGRAM, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            cwd=tmp_path,
            env=clean_environment(**environment),
        )
        os.close(slave)
        started.append((master, process))
        return Talk(master, process)

    yield start
    for master, process in started:
        process.kill()
        process.wait()
        os.close(master)
