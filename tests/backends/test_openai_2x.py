"""The wire under openai 2.x, which trainers pin: the same tests, in an environment of its own."""

import os
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "interop" / "openai_2x.py"
TOOLS = ("hypothesis", "pytest", "pytest-timeout", "trio", "uvloop")

pytestmark = [pytest.mark.packaging, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """An interpreter with the core's dependencies, openai 2.x and aiohttp's transport."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    core = [name for name in project["dependencies"] if not name.startswith("openai")]
    folder = tmp_path_factory.mktemp("openai-2x")
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    command = [python, "-m", "pip", "install", "--quiet", "openai[aiohttp]>=2,<3", *core, *TOOLS]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no package index to install openai 2.x from: {done.stderr[-300:]}")
    return python


def test_the_wire_under_openai_2x(python, tmp_path):
    """Own clients, injected ones, Azure, bad answers and cancelling: as under the newest SDK."""
    namespace = tmp_path / "callboard"
    namespace.mkdir()
    for floor in ("ambient", "runtime", "backends", "agents"):
        (namespace / floor).symlink_to(ROOT / floor)
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    done = subprocess.run(
        [python, SCRIPT, tmp_path], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
