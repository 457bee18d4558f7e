"""What every test shares: the event loops, a real model server, telemetry that nobody else sees."""

import http.client
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOOPS = [
    pytest.param(("asyncio", {}), id="asyncio"),
    pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
    pytest.param(("trio", {}), id="trio"),
]


@pytest.fixture(params=LOOPS)
def anyio_backend(request: pytest.FixtureRequest) -> object:
    """Run each async test on asyncio, on asyncio with uvloop, and on trio."""
    return request.param


class ChatServer:
    """The OpenAI-compatible server process of tests/servers/chat_server.py, from the outside.

    Point a backend at `url`; the model's name chooses the answer (the server's file lists them),
    or comes from `script`. Every method blocks for a moment: the ones that wait for something
    belong into `anyio.to_thread.run_sync` inside an async test.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/v1"
        """The base URL, `/v1` included."""
        self._names = itertools.count()

    def script(self, *steps: str | dict[str, Any]) -> str:
        """Register steps under a fresh model name: one per request, the last one for ever."""
        model = f"scripted-{next(self._names)}"
        self._control("script", {"model": model, "steps": steps})
        return model

    def requests(self, model: str | None = None) -> list[dict[str, Any]]:
        """What was received: method, path, query, headers, header_list, text, model, body."""
        return self._control("requests" + (f"?model={model}" if model else ""))

    def connections(self) -> dict[str, int]:
        """How many connections are `open` now, and how many were ever `accepted`."""
        return self._control("connections")

    def wait_for_requests(self, model: str, count: int = 1) -> None:
        """Block until so many requests for the model have been received (not answered)."""
        self._control(f"wait?event=received&model={model}&count={count}")

    def wait_for_closed(self, model: str, count: int = 1) -> None:
        """Block until the connections of so many requests for the model are closed."""
        self._control(f"wait?event=closed&model={model}&count={count}")

    def _control(self, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", f"/control/{path}", json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@pytest.fixture(scope="session")
def chat_server() -> Iterator[ChatServer]:
    """A scriptable OpenAI-compatible server in its own process, one per test worker."""
    program = Path(__file__).parent / "servers" / "chat_server.py"
    with subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield ChatServer(int(process.stdout.readline().removeprefix("PORT ")))
        process.communicate()
