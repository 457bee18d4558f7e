"""What importing costs: the heavy packages wait until somebody needs them."""

import subprocess
import sys

import pytest

HEAVY = {
    "openai", "httpx", "httpx2", "aiohttp", "torch", "transformers", "starlette",
    "opentelemetry.sdk", "typer", "rich", "trio",
}  # fmt: skip


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter has loaded after running some code."""
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, sep='\\n')"],
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import callboard.agents",
        "from callboard.agents import *",
        "from callboard.agents import Agent, AgentRef, Answer, Conversation, Prompt",
        "import callboard.runtime",
        "import callboard.backends",
    ],
)
def test_importing_a_package_loads_nothing_heavy(code: str) -> None:
    """Clients, models, servers, exporters and terminals come in when they are used."""
    assert loaded_by(code) & HEAVY == set()


def test_importing_the_face_alone_loads_next_to_nothing() -> None:
    """Names are resolved when they are first used."""
    assert loaded_by("import callboard.agents") & {"pydantic", "anyio", "structlog"} == set()


def test_the_version_loads_next_to_nothing() -> None:
    """`callboard --version` answers before anything is imported."""
    code = (
        "import sys; sys.argv = ['callboard', '--version']\n"
        "from callboard.agents.cli.app import main; main()"
    )
    loaded = loaded_by(code)
    assert loaded & (HEAVY | {"pydantic", "anyio", "structlog", "asyncio"}) == set()


def test_a_submodule_does_not_hide_the_name_that_it_is_named_after() -> None:
    """`play` is the function, whatever was imported first."""
    code = "import callboard.agents.play\nfrom callboard.agents import play\nassert callable(play)"
    loaded_by(code)
