"""ChatSession: one conversation at the terminal, line by line.

The session reads in the main thread, where Ctrl-C arrives, and answers in a loop of its own in
another thread: one loop for the whole session, so that the connection to the endpoint is kept.
"""

import threading
from pathlib import Path

from anyio.from_thread import BlockingPortal, start_blocking_portal

from callboard.agents.agent import Agent
from callboard.agents.cli.errors import EXPECTED, CommandFailedError, UsageError
from callboard.agents.cli.exit_status import INTERRUPTED
from callboard.agents.cli.terminal import Terminal
from callboard.agents.conversation import Conversation
from callboard.agents.sync_portal import LOOK_UP, result_of
from callboard.backends.backend import Backend
from callboard.backends.delta import Delta
from callboard.backends.random_backend import RandomBackend

HELP = "/reset forgets the conversation, /save FILE writes it, /exit leaves"


def opened(path: Path | None, window: int | None) -> Conversation:
    """Return the conversation to go on with: from a file, or a new one.

    Raises:
        UsageError: If the file can't be read, or holds no conversation.
    """
    if path is None:
        return Conversation(window=window)
    try:
        found = Conversation.load(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"--load {path}: {error}") from error
    return Conversation(found.messages, id=found.id, window=window or found.window)


class ChatSession:
    """One conversation at the terminal.

    Args:
        backend: Who answers; closed at the end.
        terminal: Where the lines come from and the answers go.
        conversation: What to go on with.
        instructions: The system message.
    """

    def __init__(
        self,
        backend: Backend,
        terminal: Terminal,
        conversation: Conversation,
        instructions: str | None = None,
    ) -> None:
        self._agent = Agent("chat", backend=backend, instructions=instructions)
        self._terminal = terminal
        self._conversation = conversation
        self._idle = threading.Event()
        self._greeting = _greeting(backend, conversation)

    def run(self) -> int:
        """Answer line after line until the input ends, and return the exit status.

        Raises:
            BackendError: A turn failed, and nobody sits there who could go on all the same.
            CommandFailedError: The same for a line that asks for what can't be done.
        """
        if self._terminal.interactive:
            self._terminal.note(self._greeting)
        with start_blocking_portal() as portal:
            try:
                self._take_turns(portal)
            except KeyboardInterrupt:
                return INTERRUPTED
            finally:
                portal.call(self._agent.aclose)
        return 0

    def _take_turns(self, portal: BlockingPortal) -> None:
        for line in self._terminal.lines():
            if line in ("/exit", "/quit"):
                return
            try:
                self._take(line, portal)
            except EXPECTED as error:
                if not self._terminal.interactive:
                    raise
                self._terminal.complain(str(error))

    def _take(self, line: str, portal: BlockingPortal) -> None:
        match line.split(maxsplit=1):
            case ["/reset"]:
                self._conversation.clear()
                self._terminal.note("forgotten")
            case ["/save", path]:
                self._save(path)
            case [word, *_] if word.startswith("/"):
                raise CommandFailedError(f"{word}: {HELP}")
            case _:
                self._answer(line, portal)

    def _save(self, path: str) -> None:
        try:
            self._conversation.save(path)
        except OSError as error:
            raise CommandFailedError(f"can't save to {path}: {error}") from error
        self._terminal.note(f"saved {len(self._conversation)} messages to {path}")

    def _answer(self, line: str, portal: BlockingPortal) -> None:
        self._idle.clear()
        answering = portal.start_task_soon(self._stream, line)
        try:
            result_of(answering)
        except KeyboardInterrupt:
            if answering.cancel():
                while not self._idle.wait(LOOK_UP):  # A second Ctrl-C ends this, and leaves.
                    pass
                self._terminal.note("stopped; the conversation is as it was before")

    async def _stream(self, line: str) -> None:
        shown: str | None = None
        try:
            async with self._agent.stream(line, conversation=self._conversation) as deltas:
                async for delta in deltas:
                    shown = self._show(delta, after=shown)
            if shown != "answer":
                self._terminal.show(deltas.answer.text)
        finally:
            self._terminal.show("\n")
            self._idle.set()

    def _show(self, delta: Delta, *, after: str | None) -> str | None:
        """Show a piece; return what stands on the terminal now: `thought`, `answer` or nothing."""
        if delta.kind == "reasoning" and self._terminal.interactive:
            self._terminal.think(delta.text)
            return "thought"
        if delta.kind == "reset" and after is not None:
            self._terminal.show("\n")
            self._terminal.note("the model starts again")
            return None
        if delta.kind not in ("text", "refusal"):
            return after
        self._terminal.show("\n" + delta.text if after == "thought" else delta.text)
        return "answer"


def _greeting(backend: Backend, conversation: Conversation) -> str:
    asked = f"{HELP}; Ctrl-C stops an answer"
    if isinstance(backend, RandomBackend):
        asked = f"answers are random, see --base-url and --model; {asked}"
    before = f"{len(conversation)} messages so far; " if len(conversation) else ""
    return f"{before}{asked}"
